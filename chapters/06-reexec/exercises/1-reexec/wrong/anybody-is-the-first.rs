// says: `command` executes /proc/self/exe with the name as argv[0]
// hole: exercise-init
    let argv0 = env::args_os().next().unwrap_or_default();
    let function: Option<Function> = None;
