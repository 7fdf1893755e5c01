// says: write "deny" to setgroups before gid_map, unless you are root
// shows: user
