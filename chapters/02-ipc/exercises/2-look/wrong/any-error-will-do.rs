// says: ENOENT is an answer, not a failure
        // SAFETY: as in `create`.
        let here = Errno::result(unsafe { libc::msgget(self.0, 0) }).is_ok();
