// says: call it in the child, after clone(2) with CLONE_NEWUTS
        let child = spawn(nix::sched::CloneFlags::empty(), || {
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            lab::exec(&cli.lab.command)
        })?;
        child.wait()
