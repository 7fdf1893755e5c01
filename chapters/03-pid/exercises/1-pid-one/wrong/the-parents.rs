// says: /proc shows the PID namespace for which it was mounted
// hole: exercise-two-pids
    let outside = std::path::PathBuf::from(nix::unistd::getppid().to_string());
