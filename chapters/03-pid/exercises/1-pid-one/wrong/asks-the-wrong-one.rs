// says: /proc shows the PID namespace for which it was mounted
// hole: exercise-two-pids
    let me = getpid();
    ensure!(me == Pid::from_raw(1), "this process is not PID 1 of a new PID namespace but {me}");
    info!("PID {me} in here, {} in the host's /proc, mounted still", getpid());
    Ok(())
