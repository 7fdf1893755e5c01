//! Which chapters are there, and what do their probes say?

use lab::Probe;

/// A chapter of the tower.
pub struct Chapter {
    /// Its folder and its binary, such as `06-reexec`.
    pub name: &'static str,
    /// Finds out, by trying, whether its stage works here.
    pub probe: fn() -> Probe,
}

/// The chapters, lowest first.
pub const CHAPTERS: [Chapter; 13] = [
    Chapter {
        name: "01-uts",
        probe: ch01_uts::probe,
    },
    Chapter {
        name: "02-ipc",
        probe: ch02_ipc::probe,
    },
    Chapter {
        name: "03-pid",
        probe: ch03_pid::probe,
    },
    Chapter {
        name: "04-mount",
        probe: ch04_mount::probe,
    },
    Chapter {
        name: "05-user-idmap",
        probe: ch05_user_idmap::probe,
    },
    Chapter {
        name: "06-reexec",
        probe: ch06_reexec::probe,
    },
    Chapter {
        name: "07-cgroup-memory",
        probe: ch07_cgroup_memory::probe,
    },
    Chapter {
        name: "08-pipe-init",
        probe: ch08_pipe_init::probe,
    },
    Chapter {
        name: "09-aufs",
        probe: ch09_aufs::probe,
    },
    Chapter {
        name: "10-names",
        probe: ch10_names::probe,
    },
    Chapter {
        name: "11-nsenter",
        probe: ch11_nsenter::probe,
    },
    Chapter {
        name: "12-walls",
        probe: ch12_walls::probe,
    },
    Chapter {
        name: "13-privileges",
        probe: ch13_privileges::probe,
    },
];

impl Chapter {
    /// Its number: 6 for `06-reexec`.
    pub fn number(&self) -> u8 {
        self.name[..2].parse().expect("a chapter's name begins with two digits")
    }
}
