// says: write the whole map in one write(2), a line for each range
// hole: exercise-uid-map
        for line in self.uid.lines() {
            write(pid, "uid_map", &line.to_string())?;
        }
        Ok(())
