// says: a child that has ended stays a zombie until its parent asks how
// verdict: ZOMBIE
            if let Some(arrived) = self.signals.read_signal().context("read the signalfd")? {
                self.handle(&arrived, &pass_on)?;
            }
