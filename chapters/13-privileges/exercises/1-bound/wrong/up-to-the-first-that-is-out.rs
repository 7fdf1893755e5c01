// says: take all others out of the bounding set
        for number in 0..u64::BITS {
            if self.bits() & 1 << number != 0 {
                break;
            }
            remove_capability_from_bounding_set(one(number)).context("prctl")?;
        }
