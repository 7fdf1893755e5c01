// says: `command` executes /proc/self/exe with the name as argv[0]
// hole: exercise-command
    let mut command = Command::new(SELF);
    command.env("REGISTERED", name);
    command
