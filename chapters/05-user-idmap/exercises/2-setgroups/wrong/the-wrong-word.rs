// says: write "deny" to setgroups before gid_map
// shows: user
            if !root {
                write(pid, "setgroups", "0")?;
            }
