// says: mount a new proc in the child
// shows: user
    attempt(Namespaces::NONE, || {
        in_container(ch03_pid::CLONE_NEWPID)?;
        attempt(Namespaces::NONE, || {
            be(owner)?;
            furnish(root, makes_folders, devpts)
        })
    })
