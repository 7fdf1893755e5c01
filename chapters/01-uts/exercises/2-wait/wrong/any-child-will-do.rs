// says: waitid(2) returns the exit status or the signal: pass on which
        let ended = waitid(WaitId::All, WaitIdOptions::EXITED)?.context("no child")?;
        self.is_reaped = true;
        match (ended.exit_status(), ended.terminating_signal()) {
            (Some(code), _) => Ok(Exit::Code(code as u8)),
            (None, Some(signal)) => Ok(Exit::Signal(signal)),
            (None, None) => Err(anyhow!("no end")),
        }
