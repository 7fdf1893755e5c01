// says: the kernel wants "deny" in setgroups
// shows: user
            if !root {
                write(pid, "setgroups", "0")?;
            }
