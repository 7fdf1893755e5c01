// says: a caller can write anything into argv[0]
// hole: exercise-command
    let mut command = Command::new(env::args_os().next().unwrap_or_default());
    command.arg0(name);
    command
