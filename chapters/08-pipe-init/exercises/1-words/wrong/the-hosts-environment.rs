// says: send the command's own environment and nothing of the host's
        put_list(rest, &self.argv, |to, word| put_bytes(to, word.as_bytes()));
        let all: Vec<_> = std::env::vars_os().chain(self.env.iter().cloned()).collect();
        put_list(rest, &all, |to, (name, value)| {
            put_bytes(to, name.as_bytes());
            put_bytes(to, value.as_bytes());
        });
