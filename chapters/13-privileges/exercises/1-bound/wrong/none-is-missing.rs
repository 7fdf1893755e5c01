// says: take all others out of the bounding set
        for number in 0..u64::BITS {
            let is_in = capability_is_in_bounding_set(one(number)).context("prctl")?;
            if is_in && self.bits() & 1 << number == 0 {
                remove_capability_from_bounding_set(one(number)).context("prctl")?;
            }
        }
