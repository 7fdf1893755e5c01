// says: ENOENT means that it is not in this namespace
        // SAFETY: as in `create`.
        let id = unsafe { libc::msgget(self.0, 0) };
        let here = match Errno::result(id) {
            Ok(id) => id > 0,
            Err(Errno::ENOENT) => false,
            Err(errno) => {
                return Err(errno).with_context(|| format!("msgget looks for {:#x}", self.0));
            }
        };
