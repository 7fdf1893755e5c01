// says: SIGKILL leaves a command no time to tidy up
        let _ = arrived;
        kill(&child.process, libc::SIGKILL)
