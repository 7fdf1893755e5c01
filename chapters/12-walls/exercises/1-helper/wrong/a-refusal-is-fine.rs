// says: return the helper's error
    attempt(Namespaces::NONE, || {
        in_container(ch03_pid::CLONE_NEWPID)?;
        attempt(Namespaces::NONE, || {
            context::speak_as("helper");
            in_container(CLONE_NEWNET)?;
            be(owner)?;
            let _ = furnish(root, makes_folders, devpts);
            Ok(())
        })
    })
