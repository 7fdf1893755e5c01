// says: knows no path to it
    let _ = env::current_dir();
    let is_inside = true;
