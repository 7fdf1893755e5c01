// says: an error of read(2) is no word either
// hole: exercise-word
        match (&self.0).read(&mut [0]) {
            Ok(0) => bail!("the other process has ended"),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                bail!("the other process has ended")
            }
            Ok(_) | Err(_) => Ok(()),
        }
