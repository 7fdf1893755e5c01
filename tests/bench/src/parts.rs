//! What does each part of a start cost?
//!
//! The floor does one part more, and the difference is the part's cost. Each namespace is tried by
//! itself; the others come one after the other, as a start needs them.

use judge::User;

use crate::{
    measure::{Measured, Start, in_rounds},
    programs::Programs,
    report::Report,
    starts::{LAST, Maker, SIX},
};

/// One part.
pub struct Part {
    /// What it is called.
    pub label: &'static str,
    /// Which of [`Parts::starts`] has it.
    with: usize,
    /// Which has all but it; `None`: nothing.
    without: Option<usize>,
}

/// All parts.
#[derive(Default)]
pub struct Parts {
    pub parts: Vec<Part>,
    starts: Vec<Start>,
    measured: Vec<Measured>,
}

/// A start in C.
pub const PLAIN: &str = "fork, execve and wait";
/// A second start in C.
pub const AGAIN: &str = "the program runs itself again";
/// A start in Rust.
pub const NOTHING: &str = "one start of a program in Rust that does nothing";
pub const NOTHING_STATIC: &str = "the same as a static program";

/// The parts that only root's floor can have.
const ROOTS: [&str; 3] = ["keeper", "ids", "below"];

impl Parts {
    /// What there is to measure. What does not work on this machine is left out.
    pub fn new(maker: &Maker, report: &Report) -> Parts {
        let mut parts = Parts::default();
        let payload = maker.payload();
        let is_root = maker.place.user == User::Root;
        // An ordinary user may have the others only in a user namespace of their own.
        let first: Vec<String> = if is_root { vec![] } else { vec!["user".into()] };
        let plain = parts.start(maker.start(vec![payload.clone().into()]));
        parts.add(PLAIN, plain, None);
        let alone = parts.start(maker.floor(&[], payload.clone().into()));
        parts.add("a program that does this for another", alone, Some(plain));
        let base = parts.start(maker.floor(&first, payload.clone().into()));
        for (word, label) in [
            ("uts", "UTS namespace, and a hostname"),
            ("ipc", "IPC namespace"),
            ("pid", "PID namespace"),
            ("mnt", "mount namespace"),
            ("net", "network namespace, and its lo"),
            ("user", "user namespace, a gate and two id maps"),
        ] {
            let with: Vec<String> = first.iter().cloned().chain([word.to_owned()]).collect();
            match (word, is_root) {
                ("user", false) => parts.add(label, base, Some(alone)),
                _ => {
                    let with = parts.start(maker.floor(&with, payload.clone().into()));
                    parts.add(label, with, Some(base));
                }
            }
        }
        parts.one_after_the_other(maker, alone, report);
        for (program, arguments, label) in [
            ("nothing".into(), &[][..], NOTHING),
            ("nothing-static".into(), &[], NOTHING_STATIC),
            (
                format!("stages/{LAST}"),
                &["--version"],
                "one start of the last stage, up to its options",
            ),
            (format!("static/{LAST}"), &["--version"], "the last stage as a static program"),
        ] {
            if maker.programs.path(&program).exists() {
                let start = parts.start(maker.stage(&program, arguments));
                parts.add(label, start, None);
            }
        }
        parts
    }

    fn one_after_the_other(&mut self, maker: &Maker, alone: usize, report: &Report) {
        let mut has: Vec<String> = SIX[..6].iter().map(|word| (*word).to_owned()).collect();
        let mut before = self.start(maker.floor(&has, maker.payload().into()));
        self.add("all six namespaces together", before, Some(alone));
        let rootfs = format!("rootfs={}", maker.text("rootfs"));
        let [filter, seal] = maker.filter_and_seal();
        let [layers, count, place, furnish] = maker.layered(4);
        let limit = maker.limited().unwrap_or_default();
        let steps: [(&str, &[&str]); 15] = [
            ("private mounts, and a /proc", &["proc"]),
            ("a root file system, and pivot_root", &[&rootfs]),
            (AGAIN, &["reexec"]),
            ("the command comes through a channel", &["pipe"]),
            ("a cgroup with a memory limit", &[&limit]),
            ("a keeper with its own mounts", &["keeper"]),
            ("a tmpfs, and an overlay of four layers", &[&layers, &count, &place]),
            ("/sys, /dev, read-only knobs", &[&furnish]),
            ("wall: other ids, idmapped layers", &["ids"]),
            ("wall: masks in /proc and /sys", &["masks"]),
            ("wall: a helper, and a copy of its mounts", &["locked"]),
            ("wall: a cgroup namespace, a group below", &["below"]),
            ("wall: a sealed copy of the last stage", &[&seal]),
            ("wall: no capabilities", &["caps"]),
            ("wall: a filter of system calls", &[&filter]),
        ];
        for (label, words) in steps {
            let is_roots = words.iter().any(|word| ROOTS.contains(word));
            let is_missing = words.iter().any(|word| word.is_empty());
            if (is_roots && maker.place.user != User::Root) || is_missing {
                continue;
            }
            if words.contains(&"below") && maker.place.group().is_none() {
                continue;
            }
            let length = has.len();
            has.extend(words.iter().map(|word| (*word).to_owned()));
            let command = match has.contains(&rootfs) {
                true => "/true".to_owned(),
                false => maker.payload(),
            };
            let start = maker.floor(&has, command.into());
            let stopwatch = maker.programs.path("stopwatch");
            if let Err(error) = start.time(&stopwatch, 1, 1, &mut Vec::new()) {
                report.left_out(label, &error);
                has.truncate(length);
                continue;
            }
            let with = self.start(start);
            self.add(label, with, Some(before));
            before = with;
        }
    }

    fn start(&mut self, start: Start) -> usize {
        self.starts.push(start);
        self.starts.len() - 1
    }

    fn add(&mut self, label: &'static str, with: usize, without: Option<usize>) {
        self.parts.push(Part {
            label,
            with,
            without,
        });
    }

    /// Measures them.
    ///
    /// # Errors
    ///
    /// It is interrupted.
    pub fn measure(
        &mut self,
        programs: &Programs,
        rounds: usize,
        each: usize,
    ) -> anyhow::Result<()> {
        let stopwatch = programs.path("stopwatch");
        self.measured = in_rounds(&stopwatch, self.starts.iter(), rounds, each)?;
        Ok(())
    }

    /// How many milliseconds a part adds to the shortest run: what else the machine does only makes
    /// runs longer.
    pub fn cost(&self, part: &Part) -> Option<f64> {
        let without = part.without.map_or(Some(0.0), |without| self.measured[without].least());
        Some(self.measured[part.with].least()? - without?)
    }

    /// The cost of the part with this label.
    pub fn cost_of(&self, label: &str) -> Option<f64> {
        self.cost(self.parts.iter().find(|part| part.label == label)?)
    }

    /// Why parts could not be measured.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().filter_map(|part| {
            let failure = self.measured[part.with].failure.as_deref()?;
            Some((part.label, failure))
        })
    }
}
