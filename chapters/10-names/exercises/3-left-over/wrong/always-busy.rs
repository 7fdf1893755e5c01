// says: an entry whose processes have ended is left over
            _ => Status::Busy,
