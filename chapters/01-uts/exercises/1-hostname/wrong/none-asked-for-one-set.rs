// says: set the name that --hostname gives
        let child = spawn(CLONE_NEWUTS, || {
            set_hostname(&cli.uts.hostname.clone().unwrap_or_default())?;
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
