// says: a limit without one on swap only makes a hog slow
        let _ = group;
        Ok(())
