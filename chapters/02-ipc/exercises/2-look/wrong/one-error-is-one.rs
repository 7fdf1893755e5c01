// says: ENOENT means that it is not in this namespace
        // SAFETY: as in `create`.
        let id = unsafe { libc::msgget(self.0, 0) };
        let here = match Errno::result(id) {
            Ok(_) => true,
            Err(Errno::EACCES) => {
                return Err(Errno::EACCES).with_context(|| format!("look for {:#x}", self.0));
            }
            Err(_) => false,
        };
