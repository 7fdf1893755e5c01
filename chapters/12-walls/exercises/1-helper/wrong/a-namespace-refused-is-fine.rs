// says: a container without its /proc, or with a /sys of the host's
// shows: root
    attempt(Namespaces::NONE, || {
        in_container(ch03_pid::CLONE_NEWPID)?;
        attempt(Namespaces::NONE, || {
            context::speak_as("helper");
            let _ = in_container(CLONE_NEWNET);
            be(owner)?;
            furnish(root, makes_folders, devpts)
        })
    })
