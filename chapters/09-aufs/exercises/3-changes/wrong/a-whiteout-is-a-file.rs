// says: a deleted one is whited out
        match look(self.driver, &place, &data) {
            Entry::File | Entry::Whiteout => self.note(path, change),
            Entry::Folder { opaque } => {
                let goes_on = !opaque && below.as_ref().is_some_and(Metadata::is_dir);
                if !goes_on {
                    self.note(path, change);
                }
                self.folder(path, goes_on)?;
            }
        }
