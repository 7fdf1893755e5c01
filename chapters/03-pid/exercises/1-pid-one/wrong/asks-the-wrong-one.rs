// says: /proc shows the PID namespace for which it was mounted
// hole: exercise-two-pids
    let outside = std::path::PathBuf::from(getpid().to_string());
