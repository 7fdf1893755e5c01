// says: makes the kernel end the child with its parent
    prctl::set_pdeathsig(Signal::SIGCHLD).context("prctl PR_SET_PDEATHSIG")
