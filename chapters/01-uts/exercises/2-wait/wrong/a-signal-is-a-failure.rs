// says: and the stage ends with 128+N for signal N
        let ended = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        self.is_reaped = true;
        let code = ended.and_then(|ended| ended.exit_status()).unwrap_or(1);
        Ok(Exit::Code(code as u8))
