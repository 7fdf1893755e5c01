// says: and the stage ends with 128+N for signal N
        let ended = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        let ended = ended.context("no child")?;
        self.is_reaped = true;
        let status = ended.exit_status().or(ended.terminating_signal());
        Ok(Exit::Code(status.context("neither")? as u8))
