// says: 128+N for signal N
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)).with_context(|| format!("waitpid {}", self.pid))? {
                WaitStatus::Exited(_, code) => break Exit::Code(code as u8),
                WaitStatus::Signaled(..) => break Exit::Code(1),
                _ => {}
            }
            let Some(arrived) = self.signals.read_signal().context("read the signalfd")? else { continue };
            self.handle(&arrived, &pass_on)?;
