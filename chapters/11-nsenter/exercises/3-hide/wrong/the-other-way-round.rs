// says: PR_SET_DUMPABLE 0 hides its memory
    prctl::set_dumpable(!new.contains(Kind::User)).context("prctl PR_SET_DUMPABLE")
