// says: getcwd(2) tells whether a path leads there
    let is_inside = std::env::current_dir().is_ok_and(|path| path.is_absolute());
