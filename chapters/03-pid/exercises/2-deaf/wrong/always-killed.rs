// says: SIGKILL leaves it no time to tidy up
        let _ = arrived;
        kill(&child.process, libc::SIGKILL)
