// says: it shows the PID namespace of the process that mounts it
    attempt(Namespaces::NONE, || {
        context::speak_as("helper");
        be(owner)?;
        furnish(root, makes_folders, devpts)
    })
