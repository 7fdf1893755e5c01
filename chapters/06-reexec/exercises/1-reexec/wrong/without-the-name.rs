// says: the second start is a new program that registers again, and finds its name in argv[0]
// hole: exercise-command
    let mut command = Command::new(SELF);
    command.env("REGISTERED", name);
    command
