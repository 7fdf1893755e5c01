// says: take all others out of the bounding set
        for number in 0..u32::BITS {
            if self.bits() & 1 << number == 0 {
                remove_capability_from_bounding_set(one(number)).context("prctl")?;
            }
        }
