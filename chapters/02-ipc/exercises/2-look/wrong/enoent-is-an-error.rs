// says: ENOENT means that it is not in this namespace
        // SAFETY: as in `create`.
        Errno::result(unsafe { libc::msgget(self.0, 0) }).context("msgget")?;
        let here = true;
