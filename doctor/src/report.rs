//! What the doctors of a whole room found: a table, and each reason once, with its machines.

use std::collections::{BTreeMap, BTreeSet};

use judge::{
    chapters::CHAPTERS,
    diagnosis::{Answer, Verdict},
    styles::Styles,
};

use crate::{
    machines::{Machine, Room},
    words::{said, wrapped},
};

/// What the presenter does about machines of which a part is missing, by the chapter that is the
/// first to have the reason.
const PARTLY: [(&str, &str); 2] = [
    (
        "05-user-idmap",
        "Nothing must be done: only `--uid-map auto` is missing, and no exercise needs it there.",
    ),
    (
        "07-cgroup-memory",
        "Only limits are missing, for the three exercises of chapter 7. With cgroup v2 let them \
         work in `systemd-run --user --scope -p Delegate=yes bash`. With v1 let them follow \
         chapter 7 on the screen, and go on with `make start CH=08`.",
    ),
];

/// And about machines on which a chapter does not run.
const BLOCKED: &str = "Before the day: let the owner change it, or bring a virtual machine with \
                       Linux 5.11 or newer. Else the owner works on a neighbour's machine in \
                       these chapters.";

/// A reason, and where it holds.
struct Finding<'a> {
    verdict: Verdict,
    cause: &'a str,
    reason: &'a str,
    first: &'a str,
    chapters: BTreeSet<&'a str>,
    machines: BTreeSet<&'a str>,
}

/// All of it, with one line at the end that counts.
pub fn of(room: &Room, styles: Styles) -> String {
    let mut text = table(&room.machines, styles);
    for finding in findings(&room.machines) {
        text += &paragraph(&finding, styles);
    }
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for machine in &room.machines {
        if let Some(advice) = &machine.advice {
            places.entry(advice).or_default().push(&machine.name);
        }
    }
    for (advice, names) in places {
        text += &(wrapped("", "", &format!("{}: {advice}", names.join(", "))) + "\n\n");
    }
    let roots: Vec<&str> = room
        .machines
        .iter()
        .filter(|one| one.uid == 0)
        .map(|one| one.name.as_str())
        .collect();
    if !roots.is_empty() {
        let roots = roots.join(", ");
        let words = format!(
            "Their doctor ran as root: {roots}. If they will work as an ordinary user, let them \
             run it again as that user."
        );
        text += &(wrapped("", "", &words) + "\n\n");
    }
    for (file, error) in &room.unread {
        let error = format!("{error:#}").replace('\n', " ");
        text += &format!("{}No doctor's JSON{}: {file}: {error}\n", styles.bad, styles.end);
    }
    if !room.unread.is_empty() {
        text.push('\n');
    }
    text + &conclusion(room, styles)
}

/// A line a machine, a column a chapter.
fn table(machines: &[Machine], styles: Styles) -> String {
    let length = |machine: &Machine| machine.name.chars().count();
    let width = machines.iter().map(length).max().unwrap_or(0).max("machine".len());
    let numbers: Vec<&str> = CHAPTERS.iter().map(|chapter| &chapter.name[..2]).collect();
    let mut text = format!("{:width$}  {}  its kernel\n", "machine", numbers.join(" "));
    for machine in machines {
        let marks: Vec<String> = CHAPTERS
            .iter()
            .map(|chapter| {
                let (mark, colour) = mark(machine.diagnosis[chapter.name].verdict, styles);
                format!("{colour}{mark}{}", styles.end)
            })
            .collect();
        text += &format!(
            "{:width$}  {}   {} {}, cgroup {}\n",
            machine.name,
            marks.join("  "),
            machine.kernel,
            machine.arch,
            machine.cgroup
        );
    }
    text + "\n"
}

fn mark(verdict: Verdict, styles: Styles) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Runs => ("✓", styles.good),
        Verdict::Partly => ("◐", styles.doubt),
        Verdict::Blocked => ("✗", styles.bad),
    }
}

/// Each cause once, what blocks first. The cause is the end of a reason: before it stands what was
/// tried, which differs from chapter to chapter.
fn findings(machines: &[Machine]) -> Vec<Finding<'_>> {
    let mut findings: Vec<Finding> = Vec::new();
    for machine in machines {
        for (chapter, Answer { verdict, reasons }) in &machine.diagnosis {
            for reason in reasons {
                let cause = reason.rsplit(": ").next().unwrap_or(reason);
                let is_it = |one: &Finding| one.cause == cause && one.verdict == *verdict;
                let at = findings.iter().position(is_it).unwrap_or_else(|| {
                    findings.push(Finding {
                        verdict: *verdict,
                        cause,
                        reason,
                        first: chapter,
                        chapters: BTreeSet::new(),
                        machines: BTreeSet::new(),
                    });
                    findings.len() - 1
                });
                findings[at].chapters.insert(chapter);
                findings[at].machines.insert(&machine.name);
            }
        }
    }
    findings.sort_by_key(|one| (one.verdict != Verdict::Blocked, one.first));
    findings
}

fn paragraph(finding: &Finding, styles: Styles) -> String {
    let list = |some: &BTreeSet<&str>| some.iter().copied().collect::<Vec<_>>().join(", ");
    let (mark, colour) = mark(finding.verdict, styles);
    let head = wrapped("  ", "                ", &list(&finding.machines));
    let way_out = match finding.verdict {
        Verdict::Blocked => BLOCKED,
        _ => PARTLY
            .iter()
            .find(|(chapter, _)| *chapter == finding.first)
            .map_or("Everything else of these chapters runs.", |(_, words)| words),
    };
    format!("{colour}{mark}{}{}\n", styles.end, &head[1..])
        + &said("chapters", &list(&finding.chapters))
        + &said("why", finding.reason)
        + &said("what to do", way_out)
        + "\n"
}

fn conclusion(room: &Room, styles: Styles) -> String {
    let names: Vec<&str> = room
        .machines
        .iter()
        .filter(|one| one.is_blocked())
        .map(|one| one.name.as_str())
        .chain(room.unread.iter().map(|(file, _)| file.as_str()))
        .collect();
    let all = room.machines.len() + room.unread.len();
    let (colour, words) = match names[..] {
        [] => (styles.good, format!("Every chapter can be learned on each machine ({all}).")),
        _ => (
            styles.bad,
            format!("{} of {all} need attention before the day: {}", names.len(), names.join(", ")),
        ),
    };
    format!("{colour}{words}{}\n", styles.end)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use judge::diagnosis::Diagnosis;

    use super::*;

    fn machine(name: &str, uid: u32, ill: &[(usize, Verdict, &str)]) -> Machine {
        let answer = |at: usize| match ill.iter().find(|(number, ..)| *number == at + 1) {
            Some((_, verdict, reason)) => Answer {
                verdict: *verdict,
                reasons: vec![(*reason).to_owned()],
            },
            None => Answer {
                verdict: Verdict::Runs,
                reasons: Vec::new(),
            },
        };
        let answers = CHAPTERS.iter().enumerate();
        let answers = answers.map(|(at, chapter)| (chapter.name.to_owned(), answer(at)));
        Machine {
            name: name.into(),
            kernel: "6.1".into(),
            arch: "x86_64".into(),
            uid,
            cgroup: "v2".into(),
            diagnosis: Diagnosis::from_iter(answers),
            advice: None,
        }
    }

    #[test]
    fn a_cause_stands_once_with_its_machines() {
        let root_s = |what| format!("{what}: the group is root's");
        let (memory, more) = (root_s("limit memory"), root_s("limit something"));
        let limits = [(7, Verdict::Partly, &*memory), (8, Verdict::Partly, &*more)];
        let no_overlay = (9, Verdict::Blocked, "mount: no overlay here: `modprobe overlay`");
        let mut ill = machine("table-3", 0, &[limits[0], limits[1], no_overlay]);
        ill.advice = Some("This is a container: leave it.".into());
        let room = Room {
            machines: vec![machine("table-1", 1000, &[]), machine("table-2", 1000, &limits), ill],
            unread: vec![("table-4.json".into(), anyhow!("it is empty"))],
        };
        let expected = "\
machine  01 02 03 04 05 06 07 08 09 10 11 12 13  its kernel
table-1  ✓  ✓  ✓  ✓  ✓  ✓  ✓  ✓  ✓  ✓  ✓  ✓  ✓   6.1 x86_64, cgroup v2
table-2  ✓  ✓  ✓  ✓  ✓  ✓  ◐  ◐  ✓  ✓  ✓  ✓  ✓   6.1 x86_64, cgroup v2
table-3  ✓  ✓  ✓  ✓  ✓  ✓  ◐  ◐  ✗  ✓  ✓  ✓  ✓   6.1 x86_64, cgroup v2

✗ table-3
  chapters      09-aufs
  why           mount: no overlay here: `modprobe overlay`
  what to do    Before the day: let the owner change it, or bring a virtual
                machine with Linux 5.11 or newer. Else the owner works on a
                neighbour's machine in these chapters.

◐ table-2, table-3
  chapters      07-cgroup-memory, 08-pipe-init
  why           limit memory: the group is root's
  what to do    Only limits are missing, for the three exercises of chapter 7.
                With cgroup v2 let them work in `systemd-run --user --scope -p
                Delegate=yes bash`. With v1 let them follow chapter 7 on the
                screen, and go on with `make start CH=08`.

table-3: This is a container: leave it.

Their doctor ran as root: table-3. If they will work as an ordinary user, let
them run it again as that user.

No doctor's JSON: table-4.json: it is empty

2 of 4 need attention before the day: table-3, table-4.json
";
        assert_eq!(of(&room, Styles::default()), expected);
    }

    #[test]
    fn a_room_without_troubles_is_a_table() {
        let room = Room {
            machines: vec![machine("a", 1000, &[])],
            unread: Vec::new(),
        };
        let text = of(&room, Styles::COLORED);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.ends_with("on each machine (1).\x1b[0m\n"), "{text}");
    }
}
