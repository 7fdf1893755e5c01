// says: getcwd(2) knows no path to it
    let is_inside = env::current_dir().is_ok_and(|path| path.is_relative());
