// says: make the entry before you clone anything
            _ => Status::LeftOver,
