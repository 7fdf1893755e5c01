// says: take all others out of the bounding set
        self.become_own()?;
