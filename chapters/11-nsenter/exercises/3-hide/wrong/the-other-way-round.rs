// says: PR_SET_DUMPABLE 0 keeps root inside out
    prctl::set_dumpable(!new.contains(Kind::User)).context("prctl PR_SET_DUMPABLE")
