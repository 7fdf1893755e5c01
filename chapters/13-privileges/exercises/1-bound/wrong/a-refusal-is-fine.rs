// says: return each error
        for number in 0..u64::BITS {
            if self.bits() & 1 << number == 0 {
                let _ = remove_capability_from_bounding_set(one(number));
            }
        }
