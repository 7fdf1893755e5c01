// says: ENOENT is an answer, not a failure
        // SAFETY: as in `create`.
        Errno::result(unsafe { libc::msgget(self.0, 0) }).context("msgget")?;
        let here = true;
