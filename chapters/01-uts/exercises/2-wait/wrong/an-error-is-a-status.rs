// says: return the error of waitid(2)
        let ended = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
        self.is_reaped = true;
        let Ok(Some(ended)) = ended else {
            return Ok(Exit::Code(1));
        };
        match (ended.exit_status(), ended.terminating_signal()) {
            (Some(code), _) => Ok(Exit::Code(code as u8)),
            (None, Some(signal)) => Ok(Exit::Signal(signal)),
            (None, None) => Err(anyhow!("no end")),
        }
