// says: the child waits at the gate for a byte
// hole: exercise-wait
        let _end = self.0.in_child()?;
        std::thread::sleep(std::time::Duration::from_secs(1));
        Ok(())
