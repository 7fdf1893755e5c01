// says: waitid(2) returns the exit status or the signal: pass on which
        let ended = loop {
            match waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.with_context(|| format!("waitid {}", self.pid))?,
            }
        };
        let ended = ended.context("waitid returned without a child")?;
        self.is_reaped = true;
        let signal = ended.terminating_signal().map(|signal| 128 + signal);
        let code = ended.exit_status().or(signal).context("no end")?;
        Ok(Exit::Code(code as u8))
