// says: return the error of sethostname(2)
        let child = spawn(CLONE_NEWUTS, || {
            if let Some(name) = &cli.uts.hostname {
                let _ = set_hostname(name);
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
