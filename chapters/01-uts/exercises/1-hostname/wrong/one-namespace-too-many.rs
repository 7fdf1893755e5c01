// says: each CLONE_NEW* flag of clone(2) makes one new namespace
        let namespaces = CLONE_NEWUTS | lab::Namespaces::of(lab::Kind::Mount);
        let child = spawn(namespaces, || {
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
