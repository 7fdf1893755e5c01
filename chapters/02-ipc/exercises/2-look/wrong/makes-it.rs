// says: IPC_CREAT would make the queue
        // SAFETY: as in `create`.
        let here = Errno::result(unsafe { libc::msgget(self.0, libc::IPC_CREAT | 0o600) }).is_ok();
