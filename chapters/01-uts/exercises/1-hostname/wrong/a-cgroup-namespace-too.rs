// says: each CLONE_NEW* flag of clone(2) makes one new namespace
        let cgroup = lab::Namespaces::of(lab::Kind::Cgroup);
        let child = spawn(CLONE_NEWUTS | cgroup, || {
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        child.wait()
