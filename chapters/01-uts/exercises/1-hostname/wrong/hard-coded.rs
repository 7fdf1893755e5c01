// says: the name comes from the command line
        let child = spawn(NAMESPACES, || {
            set_hostname("inside".as_ref())?;
            lab::exec(&cli.lab.command)
        })?;
        child.wait()
