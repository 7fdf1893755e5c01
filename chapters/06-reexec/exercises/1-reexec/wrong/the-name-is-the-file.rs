// says: argv[0] is what somebody called the program, /proc/self/exe is the program
// hole: exercise-command
    let mut command = Command::new(env::args_os().next().unwrap_or_default());
    command.arg0(name);
    command
