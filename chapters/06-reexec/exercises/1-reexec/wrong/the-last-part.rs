// says: compare the whole of argv[0] with the names
// hole: exercise-init
    let argv0 = env::args_os().next().unwrap_or_default();
    let last = std::path::Path::new(&argv0).file_name().and_then(|name| name.to_str());
    let function = last.and_then(|name| registry().get(name).copied());
