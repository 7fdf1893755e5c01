// says: afterwards the entry is left over
            _ if self.run.lives() || self.container.is_none() => Status::Busy,
            _ => Status::LeftOver,
