// says: makes the kernel end the child with its parent
    prctl::set_pdeathsig(Signal::SIGABRT).context("prctl PR_SET_PDEATHSIG")
