// says: the parent must survive it
        let child = spawn(CLONE_NEWUTS, || {
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait_as_usual()
