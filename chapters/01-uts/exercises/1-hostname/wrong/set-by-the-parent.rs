// says: sethostname(2) changes the caller's UTS namespace
        if let Some(name) = &cli.uts.hostname {
            set_hostname(name)?;
        }
        let child = spawn(CLONE_NEWUTS, || Ok(Program::command(&cli.lab.command)))?;
        child.wait()
