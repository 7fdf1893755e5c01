// says: `command` executes /proc/self/exe with the name as argv[0]
// hole: exercise-init
    let argv0 = env::args_os().nth(1).unwrap_or_default();
    let function = argv0.to_str().and_then(|name| registry().get(name).copied());
