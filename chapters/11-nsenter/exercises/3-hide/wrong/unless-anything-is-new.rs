// says: PR_SET_DUMPABLE 0 keeps root inside out
    prctl::set_dumpable(!new.is_empty()).context("prctl PR_SET_DUMPABLE")
