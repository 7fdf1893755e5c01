//! The answers for a person: what has the same cause is said once, in lines of 80 columns.

use judge::styles::Styles;
use lab::Probe;
use textwrap::{Options, WordSplitter::NoHyphenation};

use crate::{Answer, Machine};

/// Columns: as many as the smallest usual terminal has.
const WIDTH: usize = 80;

/// What stands before the chapters, and before what is said of them.
const MARGIN: &str = "                ";

/// What is missing if the probe of this chapter is the first to have a reason, and what a reader
/// does without it. Of any other chapter, it is what the chapter adds.
const MISSING: [(&str, &str); 2] = [
    (
        "05-user-idmap",
        "Only `--uid-map auto` is missing. Everything else of the chapter runs.",
    ),
    (
        "07-cgroup-memory",
        "Only the limits are missing: `-m`, `--cpu-shares`, `--cpuset-cpus`. You need no sudo: \
         without limits, read chapter 7's page, which shows the runs, and go on with `make start \
         CH=08`. No exercise after it needs one.",
    ),
];

/// For a machine on which a chapter does not run.
const BLOCKED: &str = "Once this is changed, the course needs no sudo. If you cannot change it, \
                       use a virtual machine with Linux 5.11 or newer (on x86-64, `make vm` boots \
                       one in qemu): every chapter runs there.";

/// All of it, with one line at the end that says what to type next.
pub fn of(machine: &Machine, answers: &[Answer], styles: Styles) -> String {
    let Machine {
        kernel,
        arch,
        uid,
        cgroup,
        place,
    } = machine;
    let title = place.title().map_or(String::new(), |title| format!(", {title}"));
    let head = format!("Linux {kernel} on {arch}, as uid {uid}, cgroup {cgroup}{title}");
    let mut text = wrapped("", "", &head) + "\n\n";
    let advice = place.advice();
    for (probe, chapters) in grouped(answers) {
        text += &group(probe, &chapters, answers, advice.as_deref(), styles);
    }
    text + &conclusion(answers, styles)
}

/// The chapters with the same answer and cause, lowest first, and what the lowest says.
fn grouped(answers: &[Answer]) -> Vec<(&Probe, Vec<&str>)> {
    let mut groups: Vec<(&Probe, Vec<&str>)> = Vec::new();
    for (chapter, probe) in answers {
        let is_it =
            |other: &Probe| other.verdict() == probe.verdict() && causes(other) == causes(probe);
        match groups.iter_mut().find(|(other, _)| is_it(other)) {
            Some((_, chapters)) => chapters.push(chapter),
            None => groups.push((probe, vec![chapter])),
        }
    }
    groups
}

/// What must be changed: the end of each reason. Before it stands what was tried.
fn causes(probe: &Probe) -> Vec<String> {
    let cause = |reason: &String| reason.rsplit(": ").next().unwrap_or(reason).to_owned();
    probe.reasons().iter().map(cause).collect()
}

fn group(
    probe: &Probe,
    chapters: &[&str],
    answers: &[Answer],
    advice: Option<&str>,
    styles: Styles,
) -> String {
    let Styles {
        bad,
        good,
        doubt,
        end,
    } = styles;
    let (mark, colour) = match probe {
        Probe::Runs => ("✓", good),
        Probe::InPart(_) => ("◐", doubt),
        Probe::DoesNotRun(_) => ("✗", bad),
    };
    let names = wrapped(MARGIN, MARGIN, &chapters.join(", "));
    let head = format!("{mark} {:<14}", probe.verdict());
    let mut text = names.replacen(MARGIN, &format!("{colour}{head}{end}"), 1) + "\n";
    for reason in probe.reasons() {
        text += &said("why", &reason);
        let way_out = way_out(&reason, probe, answers);
        let advice = advice.filter(|_| matches!(probe, Probe::DoesNotRun(_)));
        let advice = advice.map_or(String::new(), |advice| format!("{advice} "));
        text += &said("what to do", &format!("{advice}{way_out}"));
    }
    text + "\n"
}

/// A line or more, with what they are about in the margin.
pub fn said(what: &str, text: &str) -> String {
    wrapped(&format!("  {what:<14}"), MARGIN, text) + "\n"
}

/// Between words only: a path or a command stays whole.
pub fn wrapped(first: &str, rest: &str, text: &str) -> String {
    let options = Options::new(WIDTH).initial_indent(first).subsequent_indent(rest);
    textwrap::fill(text, options.break_words(false).word_splitter(NoHyphenation))
}

/// What a reader does for whom this is missing.
fn way_out(reason: &String, probe: &Probe, answers: &[Answer]) -> &'static str {
    if let Probe::DoesNotRun(_) = probe {
        return BLOCKED;
    }
    let first = answers.iter().find(|(_, probe)| probe.reasons().contains(reason));
    let missing = MISSING
        .iter()
        .find(|(chapter, _)| first.is_some_and(|(name, _)| name == chapter));
    missing.map_or("Everything else of these chapters runs.", |(_, words)| words)
}

/// How many run, and what to type next.
fn conclusion(answers: &[Answer], styles: Styles) -> String {
    let count = |is: fn(&Probe) -> bool| answers.iter().filter(|(_, probe)| is(probe)).count();
    let run = count(|probe| matches!(probe, Probe::Runs));
    let in_part = count(|probe| matches!(probe, Probe::InPart(_)));
    let blocked = answers.len() - run - in_part;
    let parts = [(run, "run"), (in_part, "in part"), (blocked, "not at all")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts = parts
        .map(|(count, how)| format!("{count} {how}"))
        .collect::<Vec<_>>()
        .join(", ");
    let (colour, summary) = match (in_part, blocked) {
        (0, 0) => (styles.good, format!("All {run} chapters run here.")),
        (_, 0) => (styles.good, format!("Of the chapters {parts}: you can learn all of them.")),
        _ => (styles.bad, format!("Of the chapters {parts}: see ✗.")),
    };
    let first_runs = answers.first().is_some_and(|(_, probe)| *probe == Probe::Runs);
    let next = match first_runs {
        true => "make start CH=01      (and the book beside it: make serve)",
        false => "change what ✗ names, then `make doctor`; meanwhile, read: make serve",
    };
    format!("{colour}{summary}{}\nNext: {next}\n", styles.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Kind, Place, Walls};

    fn machine() -> Machine {
        Machine {
            kernel: "6.1".into(),
            arch: "x86_64".into(),
            uid: 1000,
            cgroup: "v1",
            place: Place {
                kind: Kind::Machine,
                walls: Walls::default(),
                restricts: false,
            },
        }
    }

    #[test]
    fn a_cause_is_said_once_with_what_to_do() {
        let limits = |what| Probe::InPart(vec![format!("{what}: /sys/fs/cgroup is root's")]);
        let answers = [
            ("06-reexec", Probe::Runs),
            ("07-cgroup-memory", limits("limit memory")),
            ("08-pipe-init", limits("limit something")),
        ];
        let expected = "\
Linux 6.1 on x86_64, as uid 1000, cgroup v1

✓ runs          06-reexec

◐ runs in part  07-cgroup-memory, 08-pipe-init
  why           limit memory: /sys/fs/cgroup is root's
  what to do    Only the limits are missing: `-m`, `--cpu-shares`,
                `--cpuset-cpus`. You need no sudo: without limits, read chapter
                7's page, which shows the runs, and go on with `make start
                CH=08`. No exercise after it needs one.

Of the chapters 1 run, 2 in part: you can learn all of them.
Next: make start CH=01      (and the book beside it: make serve)
";
        assert_eq!(of(&machine(), &answers, Styles::default()), expected);
    }

    #[test]
    fn what_does_not_run_has_a_way_that_needs_no_root() {
        let answers = [("01-uts", Probe::DoesNotRun("user namespaces are off".into()))];
        let text = of(&machine(), &answers, Styles::COLORED);
        let expected =
            ["✗ does not run", "virtual machine", "needs no sudo", "1 not at all: see ✗"];
        for words in expected {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        assert!(text.contains("\x1b[1;31m✗ does not run  \x1b[0m01-uts\n"), "{text:?}");
    }

    #[test]
    fn the_place_is_named_and_its_advice_stands_where_a_chapter_does_not_run() {
        let mut machine = machine();
        machine.place.kind = Kind::Docker;
        machine.place.walls.masks = true;
        let answers = [("01-uts", Probe::Runs), ("04-mount", Probe::DoesNotRun("masks".into()))];
        let text = of(&machine, &answers, Styles::default());
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("cgroup v1, in a Docker container ✓ runs"), "{text}");
        let advice = "what to do The container's walls refuse it. Start it as an ordinary user and \
                      without them: `docker run --user 1000 --security-opt \
                      systempaths=unconfined`. Once this is changed";
        assert!(words.contains(advice), "{text}");
        let runs = [("01-uts", Probe::Runs)];
        assert!(!of(&machine, &runs, Styles::default()).contains("walls"));
    }
}
