// says: IPC_CREAT would make the queue
        // SAFETY: as in `create`.
        let id = unsafe { libc::msgget(self.0, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
        let here = match Errno::result(id) {
            Ok(_) => false,
            Err(Errno::EEXIST) => true,
            Err(errno) => return Err(errno).context("msgget"),
        };
