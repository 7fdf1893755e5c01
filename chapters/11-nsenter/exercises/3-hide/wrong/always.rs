// says: PARENT writes the maps while INIT waits at the gate
// shows: user
    prctl::set_dumpable(false).context("prctl PR_SET_DUMPABLE")
