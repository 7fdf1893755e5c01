//! Which chapters are there?

/// A chapter of the tower.
pub struct Chapter {
    /// Its folder and its binary, such as `06-reexec`.
    pub name: &'static str,
}

/// The chapters, lowest first.
pub const CHAPTERS: [Chapter; 13] = [
    chapter("01-uts"),
    chapter("02-ipc"),
    chapter("03-pid"),
    chapter("04-mount"),
    chapter("05-user-idmap"),
    chapter("06-reexec"),
    chapter("07-cgroup-memory"),
    chapter("08-pipe-init"),
    chapter("09-aufs"),
    chapter("10-names"),
    chapter("11-nsenter"),
    chapter("12-walls"),
    chapter("13-privileges"),
];

const fn chapter(name: &'static str) -> Chapter {
    Chapter { name }
}

impl Chapter {
    /// Its number: 6 for `06-reexec`.
    pub fn number(&self) -> u8 {
        self.name[..2].parse().expect("a chapter's name begins with two digits")
    }
}
