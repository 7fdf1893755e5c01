// says: a caller can write anything into argv[0]
// hole: exercise-command
    let mut command = Command::new(env::current_exe().expect("this process has a program"));
    command.arg0(name);
    command
