// says: an entry whose process is gone is left over
            _ => Status::Busy,
