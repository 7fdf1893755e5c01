//! What becomes of a run with a fault, and of the run after it?

use std::{path::PathBuf, thread::sleep, time::Duration};

use anyhow::ensure;
use judge::{
    Ended,
    host::{Difference, Snapshot, nobody_stays},
    process::{children_of, has_ended},
    slow::is_refused,
    told,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    case::{Case, Fault, Moment, Role},
    shortage::{Limit, Shortage},
    stages::{OUTPUT, Place, SHELL, STATUS},
    trace::follow,
};

/// SIGXFSZ: a file would be larger than RLIMIT_FSIZE.
const TOO_LARGE: i32 = 128 + libc::SIGXFSZ;

/// How a run with a fault ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There was no fault: the process made no such call this time, or had ended.
    Unhurt,
    /// With the command's own status: the fault did no harm.
    WentOn,
    /// With another one.
    Ended,
}

/// A fault that was tried.
pub struct Attempt {
    pub end: End,
    /// What the run left that the next run removed.
    pub left: usize,
    /// What is not as it should be.
    pub findings: Vec<String>,
    /// What it wrote to standard error.
    pub said: String,
    /// Whether all findings can be another program's doing.
    pub may_be_anothers: bool,
}

/// Tries it once.
///
/// # Errors
///
/// It cannot be tried here.
pub fn attempt(place: &Place, case: &Case) -> anyhow::Result<Attempt> {
    let bench = place.bench();
    let before = Snapshot::take(bench.user, &bench.temporary())?;
    let files = place.files();
    let groups = place.groups()?;
    let mut findings = Vec::new();

    let (ended, was_hurt) = match (case.moment, case.fault) {
        (_, Fault::Short(shortage)) => (shortage.run(place)?, true),
        (Moment::After(time), _) => kill_after(place, case.role, time)?,
        _ => {
            let traced = follow(place.run()?, bench.stage, Some(case)).inspect_err(|error| {
                if is_refused(error) {
                    eprintln!("{}", judge::slow::REFUSED);
                }
            })?;
            findings.extend(traced.hangs);
            (traced.ended, traced.was_hurt)
        }
    };
    note(nobody_stays(), &mut findings);
    let status = ended.status();
    let end = match status {
        _ if !was_hurt => End::Unhurt,
        STATUS => End::WentOn,
        _ => End::Ended,
    };
    findings.extend(wrong_in(&ended, case, was_hurt));
    let left =
        place.files().difference(&files).count() + place.groups()?.difference(&groups).count();

    // The next run must work, and clear up.
    note(next_run(place), &mut findings);
    note(nobody_stays(), &mut findings);
    let after = Snapshot::take(bench.user, &bench.temporary())?;
    let differences: Vec<Difference> = before.differences(&after);
    let shown = |path: &PathBuf| path.display().to_string();
    let now = place.files();
    let is_sure = !findings.is_empty();
    let stays = now.difference(&files).map(|path| format!("{} stays", shown(path)));
    let gone = files.difference(&now).map(|path| format!("{} is gone", shown(path)));
    let own: Vec<String> = stays.chain(gone).collect();
    let may_be_anothers =
        !is_sure && own.is_empty() && differences.iter().all(|one| one.may_be_anothers);
    findings.extend(own);
    findings.extend(differences.into_iter().map(|one| one.text));
    Ok(Attempt {
        end,
        left,
        findings,
        said: ended.errors.clone(),
        may_be_anothers,
    })
}

fn next_run(place: &Place) -> anyhow::Result<()> {
    let ended = place.run()?.finish()?;
    let (status, said) = (ended.status(), &ended.errors);
    ensure!(
        status == STATUS && ended.text() == OUTPUT && said.is_empty(),
        "the next run ends with {status}, and says {}",
        told(said.trim())
    );
    Ok(())
}

/// Kills a process at any moment. Whether it was there.
fn kill_after(place: &Place, role: Role, time: Duration) -> anyhow::Result<(Ended, bool)> {
    let bench = place.bench();
    let running = place.run()?.start()?;
    sleep(time);
    let child = |pid: Pid| children_of(pid).unwrap_or_default().first().copied();
    let keeper = |pid: Pid| match bench.stage {
        ..9 => Some(pid),
        _ => child(pid),
    };
    let victim = match role {
        Role::Parent => Some(running.pid()),
        Role::Keeper => keeper(running.pid()),
        _ => keeper(running.pid()).and_then(child),
    };
    let victim = victim.filter(|pid| !has_ended(*pid));
    let was_hurt = victim.is_some_and(|pid| kill(pid, Signal::SIGKILL).is_ok());
    Ok((running.finish()?, was_hurt))
}

fn note<T>(result: anyhow::Result<T>, findings: &mut Vec<String>) {
    if let Err(error) = result {
        findings.push(format!("{error:#}"));
    }
}

/// What the end of the run itself should not be.
fn wrong_in(ended: &Ended, case: &Case, was_hurt: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |what: &str| wrong.push(what.to_owned());
    let status = ended.status();
    let name = format!("{}: ", case.chapter.name);
    // The command may complain as well: its output has nobody to read it any more. So may the
    // loader, before the stage's first line.
    let is_of_others = |line: &&str| {
        line.starts_with(&format!("{SHELL}: ")) || line.contains("while loading shared libraries")
    };
    let is_kill = matches!(case.fault, Fault::Kill);
    let hides = |number| matches!(case.fault, Fault::Short(shortage) if shortage.hides(number));
    let lines = ended.errors.lines().filter(|line| !is_of_others(line) && !hides(2));
    let lines: Vec<&str> = lines.collect();
    let is_silent = match case.fault {
        Fault::Short(_) => ended.errors.is_empty(),
        _ => lines.is_empty(),
    };
    match status {
        STATUS if ended.text() != OUTPUT && !hides(1) => {
            say("the command's output is not all there");
        }
        STATUS => {}
        _ if !was_hurt => say(&format!("there was no fault, and it ends with {status}")),
        125..=127 if is_silent && !hides(2) => {
            say(&format!("it ends with {status} without a word"))
        }
        125..=127 => {}
        // Killed itself, or it says that the container was.
        137 if is_kill => {}
        137 if !lines.is_empty() => {}
        TOO_LARGE if matches!(case.fault, Fault::Short(Shortage::Limit(Limit::FileSize, _))) => {}
        _ => say(&format!("its status is {status}")),
    }
    if lines.iter().any(|line| !line.starts_with(&name)) {
        say("there is a line that does not begin with the stage's name");
    }
    if lines.len() > 1 {
        say("the error is more than one line");
    }
    wrong
}
