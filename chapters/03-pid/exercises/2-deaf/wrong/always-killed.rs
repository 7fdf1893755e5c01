// says: SIGKILL leaves a command no time to tidy up
        let _ = arrived;
        kill(init, Signal::SIGKILL)
