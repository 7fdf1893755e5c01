// says: a read(2) that returns 0 bytes is the end, not a word
// hole: exercise-word
        match (&self.0).read(&mut [0]) {
            Ok(_) => Ok(()),
            Err(error) => Err(error).context("wait for a word from the other process"),
        }
