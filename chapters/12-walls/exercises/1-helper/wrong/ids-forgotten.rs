// says: let it have root inside's ids for files
// shows: root
    attempt(Namespaces::NONE, || {
        in_container(ch03_pid::CLONE_NEWPID)?;
        attempt(Namespaces::NONE, || {
            in_container(CLONE_NEWNET)?;
            furnish(root, makes_folders, devpts)
        })
    })
