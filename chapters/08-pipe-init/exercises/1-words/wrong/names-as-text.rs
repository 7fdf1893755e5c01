// says: send the command's own environment and nothing of the host's
        put_list(rest, &self.argv, |to, word| put_bytes(to, word.as_bytes()));
        put_list(rest, &self.env, |to, (name, value)| {
            put_bytes(to, name.to_string_lossy().as_bytes());
            put_bytes(to, value.as_bytes());
        });
