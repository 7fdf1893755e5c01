// says: ENOENT means that it is not in this namespace
        // SAFETY: as in `create`.
        let here = Errno::result(unsafe { libc::msgget(self.0, 0) }).is_ok();
