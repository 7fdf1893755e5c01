// says: as long as that lives, the name is taken
            Some(_) if self.run.lives() => Status::Busy,
            _ => Status::LeftOver,
