// says: waitid(2) returns the exit status or the signal: pass on which
        waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        self.is_reaped = true;
        Ok(Exit::Code(0))
