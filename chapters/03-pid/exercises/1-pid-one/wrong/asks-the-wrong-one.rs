// says: /proc shows the PID namespace that it was mounted for
// hole: exercise-two-pids
    let outside = std::path::PathBuf::from(getpid().to_string());
