// says: call it in the child, after clone(2) with CLONE_NEWUTS
        let child = spawn(lab::Namespaces::NONE, || {
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
