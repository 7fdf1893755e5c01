// says: an entry whose processes are gone is left over
            _ => Status::Busy,
