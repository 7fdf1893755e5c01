// says: send each word with its length
        let line = self.argv.join(std::ffi::OsStr::new(" "));
        let words: Vec<&[u8]> = line.as_bytes().split(|byte| *byte == b' ').collect();
        put_list(rest, &words, |to, word| put_bytes(to, word));
        put_list(rest, &self.env, |to, (name, value)| {
            put_bytes(to, name.as_bytes());
            put_bytes(to, value.as_bytes());
        });
