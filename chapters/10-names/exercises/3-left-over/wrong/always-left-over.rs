// says: an entry is made before anything is cloned
            _ => Status::LeftOver,
