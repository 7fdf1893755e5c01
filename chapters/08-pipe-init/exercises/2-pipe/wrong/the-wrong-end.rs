// says: init inherits the reading end
        fcntl(&self.writer, FcntlArg::F_SETFD(FdFlag::empty())).context("let init inherit the pipe")?;
        let number = self.writer.as_raw_fd();
