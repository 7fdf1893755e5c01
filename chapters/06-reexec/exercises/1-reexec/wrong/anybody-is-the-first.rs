// says: the second start is a new program: it registers the function again
// hole: exercise-init
    let argv0 = env::args_os().next().unwrap_or_default();
    let function: Option<Function> = None;
