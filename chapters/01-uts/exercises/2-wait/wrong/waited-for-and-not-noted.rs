// says: note in is_reaped that it is done
        let ended = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        let ended = ended.context("no child")?;
        match (ended.exit_status(), ended.terminating_signal()) {
            (Some(code), _) => Ok(Exit::Code(code as u8)),
            (None, Some(signal)) => Ok(Exit::Signal(signal)),
            (None, None) => Err(anyhow!("no end")),
        }
