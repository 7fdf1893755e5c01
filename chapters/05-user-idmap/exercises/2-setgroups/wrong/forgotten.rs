// says: the kernel wants "deny" in setgroups before it takes an ordinary user's gid_map
// shows: user
