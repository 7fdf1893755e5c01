// says: overlay copies a changed file up
        match meaning(self.driver, entry.folder, entry.name, &entry.stat) {
            Meaning::Whiteout => self.note(entry.path, Change::Deleted),
            Meaning::File => self.note(entry.path, change),
            Meaning::Folder { is_opaque } => {
                self.note(entry.path, change);
                self.shows_image.push(!is_opaque && of_image.as_ref().is_some_and(is_folder));
            }
        }
