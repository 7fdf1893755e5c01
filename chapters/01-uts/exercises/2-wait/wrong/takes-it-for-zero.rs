// says: waitpid(2) returns the status: pass it on
        waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        self.is_reaped = true;
        Ok(Exit::Code(0))
