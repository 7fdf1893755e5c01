// says: marks a folder that was made again opaque
        match meaning(self.driver, entry.folder, entry.name, &entry.stat) {
            Meaning::Whiteout => self.note(entry.path, Change::Deleted),
            Meaning::File => self.note(entry.path, change),
            Meaning::Folder { is_opaque } => {
                let goes_on = !is_opaque && of_image.as_ref().is_some_and(is_folder);
                let is_same = of_image.is_some_and(|other| looks_like(&entry.stat, &other));
                if !goes_on || !is_same {
                    self.note(entry.path, change);
                }
                self.shows_image.push(!is_opaque);
            }
        }
