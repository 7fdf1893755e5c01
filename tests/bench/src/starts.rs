//! Which commands are compared, and which of them do the same work?

use std::{ffi::OsString, fs, path::PathBuf};

use judge::User;

use crate::{
    measure::{Measured, Start},
    place::{LIMIT, Place},
    programs::{PEERS, Programs, which},
};

/// What a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// fork and exec.
    Plain,
    /// The floor of its work.
    Floor,
    /// One of ours.
    Stage,
    /// What else a person would use.
    Peer,
}

/// A line of the table.
pub struct Row {
    pub kind: Kind,
    pub label: String,
    /// Which of [`Starts::works`] it does.
    pub work: usize,
    pub start: Start,
    pub measured: Measured,
    /// How many system calls it makes.
    pub calls: Option<usize>,
}

/// All that is compared of one user.
pub struct Starts {
    /// What the works are called, in the table's order.
    pub works: Vec<&'static str>,
    /// In the table's order.
    pub rows: Vec<Row>,
}

/// The parts that every floor has but the first.
pub const SIX: [&str; 7] = ["uts", "ipc", "pid", "mnt", "net", "user", "proc"];

/// The last stage.
pub const LAST: &str = "13-privileges";

/// Makes the rows.
pub struct Maker<'a> {
    pub programs: &'a Programs,
    pub place: &'a Place,
}

impl Maker<'_> {
    /// A command of this user.
    pub fn start(&self, words: Vec<OsString>) -> Start {
        Start {
            user: self.place.user,
            home: self.place.folder.join("home"),
            words,
            hidden: None,
        }
    }

    /// The floor with these parts.
    pub fn floor(&self, parts: &[String], command: OsString) -> Start {
        let mut words = vec![self.programs.path("floor").into_os_string()];
        words.extend(parts.iter().map(OsString::from));
        words.extend(["--".into(), command]);
        self.start(words)
    }

    /// A stage, or its static build, with these arguments.
    pub fn stage(&self, name: &str, arguments: &[&str]) -> Start {
        let mut words = vec![self.programs.path(name).into_os_string()];
        words.extend(arguments.iter().map(OsString::from));
        self.start(words)
    }

    /// A path in the user's folder, as text.
    pub fn text(&self, name: &str) -> String {
        self.place.folder.join(name).display().to_string()
    }

    /// The payload on the host.
    pub fn payload(&self) -> String {
        self.programs.path("true").display().to_string()
    }

    /// The floor's part with the limit.
    pub fn limited(&self) -> Option<String> {
        let group = self.place.group()?.join(self.place.groups_name());
        Some(format!("limit={}", group.display()))
    }

    /// The floor's parts for four layers.
    pub fn layered(&self, count: usize) -> [String; 4] {
        let (layers, place) = (self.text("layers"), self.text("mnt"));
        [
            format!("layers={layers}"),
            format!("count={count}"),
            format!("place={place}"),
            "furnish".into(),
        ]
    }

    /// The floor's parts with which root's container gets the walls of the last stage.
    fn walls(&self) -> Vec<String> {
        let mut parts = ["reexec", "pipe", "keeper", "ids", "masks", "locked", "caps"]
            .map(String::from)
            .to_vec();
        parts.extend(self.place.group().map(|_| "below".into()));
        parts.extend(self.filter_and_seal());
        parts
    }

    /// The floor's parts for a filter of system calls and a sealed copy.
    pub fn filter_and_seal(&self) -> [String; 2] {
        let (filter, stage) =
            (self.programs.path("filter"), self.programs.path(&format!("stages/{LAST}")));
        [format!("filter={}", filter.display()), format!("seal={}", stage.display())]
    }

    /// The options of `run`: no log, and the limit, where there can be one.
    pub fn run<'b>(&self, further: &[&'b str]) -> Vec<&'b str> {
        let limit: &[&str] = match self.place.group() {
            Some(_) => &["-m", LIMIT],
            None => &[],
        };
        [&["run", "-q"], limit, further].concat()
    }

    /// All that is compared.
    pub fn all(&self) -> Starts {
        let mut starts = Starts {
            works: Vec::new(),
            rows: Vec::new(),
        };
        let six = SIX.map(String::from).to_vec();
        let limit = [six.clone(), self.limited().into_iter().collect()].concat();
        let (payload, rootfs) = (self.payload(), self.text("rootfs"));
        starts.work("a process");
        starts.add(Kind::Plain, "fork and exec", self.start(vec![payload.clone().into()]));
        starts.work("six namespaces");
        starts.add(Kind::Floor, "the floor", self.floor(&six, payload.clone().into()));
        self.stage_row(&mut starts, "06-reexec", &["-q", &payload], false);
        self.peers(&mut starts, "six");
        if self.place.group().is_some() {
            starts.work("and a memory limit");
            starts.add(Kind::Floor, "the floor", self.floor(&limit, payload.clone().into()));
            let arguments = self.run(&["--", &payload]);
            self.stage_row(&mut starts, "08-pipe-init", &arguments, true);
        }
        starts.work("and a root file system");
        let parts = [limit.clone(), vec![format!("rootfs={rootfs}")]].concat();
        starts.add(Kind::Floor, "the floor", self.floor(&parts, "/true".into()));
        let arguments = self.run(&["--rootfs", &rootfs, "--", "/true"]);
        for stage in ["09-aufs", "11-nsenter", "13-privileges"] {
            self.stage_row(&mut starts, stage, &arguments, stage == LAST);
        }
        self.peers(&mut starts, "rootfs");
        starts.work("in its place, four layers");
        let parts = [limit, self.layered(4).to_vec()].concat();
        starts.add(Kind::Floor, "the floor", self.floor(&parts, "/true".into()));
        if self.place.user == User::Root {
            let parts = [parts, self.walls()].concat();
            starts.add(Kind::Floor, "the floor and walls", self.floor(&parts, "/true".into()));
        }
        let layers = [0, 1, 2, 3].map(|layer| self.text(&format!("layers/{layer}")));
        let mut arguments = self.run(&[]);
        layers.iter().for_each(|layer| arguments.extend(["--layer", layer]));
        arguments.extend(["--", "/true"]);
        for stage in ["09-aufs", "11-nsenter", "13-privileges"] {
            self.stage_row(&mut starts, stage, &arguments, stage != "11-nsenter");
        }
        starts
    }

    /// A stage as cargo builds it, and perhaps as a static program.
    fn stage_row(&self, starts: &mut Starts, stage: &str, arguments: &[&str], both: bool) {
        starts.add(Kind::Stage, stage, self.stage(&format!("stages/{stage}"), arguments));
        let name = format!("static/{stage}");
        if both && self.programs.path(&name).exists() {
            starts.add(Kind::Stage, &format!("{stage}, static"), self.stage(&name, arguments));
        }
    }

    /// What else does this work.
    fn peers(&self, starts: &mut Starts, work: &str) {
        let (payload, rootfs) = (self.payload(), self.text("rootfs"));
        let (state, bundle) = (self.text("state"), self.text("bundle"));
        let name = self.place.groups_name();
        let manager: &[&str] = match self.place.group() {
            Some(_) => &[],
            None => &["--cgroup-manager=disabled"],
        };
        let as_root: &[&str] = match self.place.user {
            User::Root => &[],
            User::Ordinary => &["-r"],
        };
        let oci = ["run", "-b", &bundle, &name];
        let (run, inside): (Vec<&str>, bool) = (["--root", &state].to_vec(), work == "rootfs");
        for (peer, _) in PEERS {
            let arguments: Vec<&str> = match (peer, inside) {
                ("unshare", false) => {
                    [as_root, &["-fpmuin", "--mount-proc", payload.as_str()]].concat()
                }
                ("bwrap", false) => {
                    let root = ["--unshare-all", "--dev-bind", "/", "/", "--proc", "/proc"];
                    [&root[..], &[payload.as_str()]].concat()
                }
                ("bwrap", true) => {
                    let root = ["--unshare-all", "--bind", &rootfs, "/", "--proc", "/proc"];
                    [&root[..], &["--dev", "/dev", "/true"]].concat()
                }
                ("crun", true) => [manager, &run[..], &oci[..]].concat(),
                ("runc", true) => [&run[..], &oci[..]].concat(),
                _ => continue,
            };
            let Some(program) = which(peer) else {
                continue;
            };
            let mut words = vec![program.into_os_string()];
            words.extend(arguments.iter().map(OsString::from));
            let mut start = self.start(words);
            start.hidden = (peer == "crun").then(hidden_from_crun).flatten();
            let label = match (peer, inside) {
                ("bwrap", true) => "bwrap (no limit)".to_owned(),
                _ => peer.to_owned(),
            };
            starts.add(Kind::Peer, &label, start);
        }
    }
}

/// crun refuses a machine that has cgroup v1 and, mounted beside it, v2 with a controller.
fn hidden_from_crun() -> Option<PathBuf> {
    let unified = PathBuf::from("/sys/fs/cgroup/unified");
    let controllers = fs::read_to_string(unified.join("cgroup.controllers")).ok()?;
    (!controllers.trim().is_empty() && nix::unistd::geteuid().is_root()).then_some(unified)
}

impl Starts {
    fn work(&mut self, name: &'static str) {
        self.works.push(name);
    }

    fn add(&mut self, kind: Kind, label: &str, start: Start) {
        self.rows.push(Row {
            kind,
            label: label.to_owned(),
            work: self.works.len() - 1,
            start,
            measured: Measured::default(),
            calls: None,
        });
    }

    /// How many times as long as the floor of the same work a row took, by this time of each.
    pub fn ratio(&self, row: &Row, time: fn(&Measured) -> Option<f64>) -> Option<f64> {
        let is_floor = |other: &&Row| other.work == row.work && other.kind == Kind::Floor;
        let floor = self.rows.iter().find(is_floor)?;
        Some(time(&row.measured)? / time(&floor.measured)?)
    }
}
