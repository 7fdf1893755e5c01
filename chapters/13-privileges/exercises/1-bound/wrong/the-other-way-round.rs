// says: take all others out of the bounding set
        for number in 0..u64::BITS {
            match capability_is_in_bounding_set(one(number)) {
                Err(Errno::INVAL) => break,
                Ok(true) if self.bits() & 1 << number != 0 => {
                    remove_capability_from_bounding_set(one(number)).context("prctl")?;
                }
                other => _ = other.context("prctl PR_CAPBSET_READ")?,
            }
        }
