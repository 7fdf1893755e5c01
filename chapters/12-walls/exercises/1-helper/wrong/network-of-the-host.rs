// says: sysfs shows the network namespace
// shows: root
    attempt(Namespaces::NONE, || {
        in_container(ch03_pid::CLONE_NEWPID)?;
        attempt(Namespaces::NONE, || {
            context::speak_as("helper");
            be(owner)?;
            furnish(root, makes_folders, devpts)
        })
    })
