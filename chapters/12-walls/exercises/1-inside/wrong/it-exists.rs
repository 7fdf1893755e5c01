// says: knows no path to it
    let is_inside = Path::new(".").is_dir();
