// says: knows no path to it
    ensure!(Path::new(".").is_dir(), "there is no working directory");
