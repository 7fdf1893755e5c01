// says: a changed file is copied up
        match look(self.driver, &place, &data) {
            Entry::Whiteout => self.note(path, Change::Deleted),
            Entry::File => self.note(path, change),
            Entry::Folder { .. } => {
                let goes_on = below.as_ref().is_some_and(Metadata::is_dir);
                if !goes_on {
                    self.note(path, change);
                }
                self.folder(path, goes_on)?;
            }
        }
