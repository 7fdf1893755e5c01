// says: it shows the PID namespace of the process that mounts it
    attempt(Namespaces::NONE, || {
        context::speak_as("helper");
        in_container(ch03_pid::CLONE_NEWPID)?;
        in_container(CLONE_NEWNET)?;
        be(owner)?;
        furnish(root, makes_folders, devpts)
    })
