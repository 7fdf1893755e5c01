// says: set the name that --hostname gives
        let child = spawn(CLONE_NEWUTS, || {
            set_hostname("inside".as_ref())?;
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
