// says: a child that has ended stays a zombie until its parent asks how
// verdict: ZOMBIE
        let mut children = nix::sys::signal::SigSet::empty();
        children.add(Signal::SIGCHLD);
        children.thread_block()?;
        children.wait()?;
        let ended = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED)?;
        self.is_reaped = true;
        Ok(Exit::Code(ended.and_then(|ended| ended.exit_status()).unwrap_or(1) as u8))
