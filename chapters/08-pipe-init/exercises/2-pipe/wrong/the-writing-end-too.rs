// says: the end comes when nobody holds the writing end any more
// verdict: HANGS
        for end in [self.reader.as_raw_fd(), self.writer.as_raw_fd()] {
            // SAFETY: both are open, and borrowed for this call only.
            let end = unsafe { std::os::fd::BorrowedFd::borrow_raw(end) };
            fcntl(end, FcntlArg::F_SETFD(FdFlag::empty())).context("let init inherit the pipe")?;
        }
        let number = self.reader.as_raw_fd();
