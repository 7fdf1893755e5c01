// says: the name comes from the command line
        let child = spawn(CLONE_NEWUTS, || {
            set_hostname("inside".as_ref())?;
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
