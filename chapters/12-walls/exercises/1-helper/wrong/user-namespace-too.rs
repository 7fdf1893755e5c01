// says: it shows the PID namespace of the process that mounts it
    attempt(Namespaces::NONE, || {
        in_container(ch05_user_idmap::CLONE_NEWUSER)?;
        in_container(ch03_pid::CLONE_NEWPID)?;
        attempt(Namespaces::NONE, || {
            in_container(CLONE_NEWNET)?;
            furnish(root, makes_folders, devpts)
        })
    })
