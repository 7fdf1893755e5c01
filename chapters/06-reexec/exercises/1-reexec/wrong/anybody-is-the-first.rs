// says: the second start is a new program that registers again, and finds its name in argv[0]
// hole: exercise-init
    let argv0 = env::args_os().next().unwrap_or_default();
    let function: Option<Function> = None;
