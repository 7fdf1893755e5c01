// says: the second start is a new program: it registers the function again
// hole: exercise-command
    let mut command = Command::new(SELF);
    command.env("REGISTERED", name);
    command
