// says: a limit without one on swap only makes a hog slow
        group.set(Self::knob(group), &self.limit.to_string())
