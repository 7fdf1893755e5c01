// says: init inherits the reading end, which must not be marked close-on-exec
        let number = self.reader.as_raw_fd();
