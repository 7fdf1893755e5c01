// says: return its error
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    Ok(())
