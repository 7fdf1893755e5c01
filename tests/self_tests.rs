//! Does the judge fail when it should? Stages that leave something, and checks that do not look.

use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use judge::{Bench, Check, Outcome, User, cgroups};
use lab::exec::find;
use libtest_mimic::Trial;
use nix::mount::{MntFlags, umount2};

use crate::harness::{trial, trial_or_skip};

/// What a stage does before it ends with 0, and what the judge must say of it.
struct Broken {
    name: &'static str,
    does: &'static str,
    found: &'static str,
    only_as: Option<User>,
}

const BROKEN: [Broken; 7] = [
    Broken::new("leaves a file", "touch $TMPDIR/left", "a new file"),
    Broken::new("leaves a process", "sleep 1000 &", "processes stayed"),
    Broken::new("leaves a queue", "ipcmk -Q >/dev/null", "a new System V id"),
    Broken::as_root("leaves a mount", "mount -t tmpfs none /mnt", "a new mount"),
    Broken::as_root("names the host", "hostname left-behind", "the hostname is"),
    Broken::as_root("leaves an interface", VETH, "a new network interface"),
    Broken::as_root("leaves a cgroup", "mkdir $GROUP-$$", "a new cgroup"),
];

/// A pair of interfaces.
const VETH: &str = "ip link add left type veth peer name right";

impl Broken {
    const fn new(name: &'static str, does: &'static str, found: &'static str) -> Broken {
        Broken {
            name,
            does,
            found,
            only_as: None,
        }
    }

    const fn as_root(name: &'static str, does: &'static str, found: &'static str) -> Broken {
        Broken {
            name,
            does,
            found,
            only_as: Some(User::Root),
        }
    }
}

/// The check that all these stages pass, but for what they leave.
const ENDS: Check = Check::new(1, "it ends", "", |bench| {
    bench.stage(["true"]).finish()?.must_end_with(0)?;
    Ok(Outcome::Holds)
});

/// The trials, as this user.
pub fn trials(user: User, place: &Path) -> Vec<Trial> {
    let named = |what: &str| format!("the judge as {}: {what}", user.name());
    let broken = BROKEN.iter().filter(|one| one.only_as.is_none_or(|only| only == user));
    let mut trials: Vec<Trial> = broken
        .map(|one| {
            let place = place.to_owned();
            let name = named(&format!("a stage that {} is found out", one.name));
            trial_or_skip(name, move || is_found_out(one, user, &place))
        })
        .collect();
    let mut add = |what: &str, test: fn(User, &Path) -> anyhow::Result<()>| {
        let place = place.to_owned();
        trials.push(trial(named(what), move || test(user, &place)));
    };
    add("a status that a check does not look at is found out", unlooked);
    add("an error in two lines is found out", two_lines);
    if user == User::Root {
        add("what another program leaves meanwhile is not the stage's", anothers);
    }
    trials
}

/// A bench with this script in the place of a stage.
fn bench(user: User, place: &Path, script: &str) -> anyhow::Result<Bench> {
    let stage = place.join("broken");
    fs::write(&stage, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&stage, fs::Permissions::from_mode(0o755))?;
    Bench::new(1, &stage, user, place)
}

fn is_found_out(broken: &Broken, user: User, place: &Path) -> anyhow::Result<Outcome> {
    if broken.does == VETH && find("ip".as_ref(), env::var_os("PATH").as_deref()).is_none() {
        return Ok(Outcome::Skipped("ip is not installed: install the package iproute2".into()));
    }
    let group = own_group()?;
    let script = broken.does.replace("$GROUP", &group.display().to_string());
    let queues = queues_of(user)?;
    let judged = ENDS.judge(&bench(user, place, &script)?);
    // What such a stage leaves, this test removes; of most there is nothing.
    let _ = umount2("/mnt", MntFlags::MNT_DETACH);
    let parent = group.parent().context("a group is in a folder")?;
    for entry in fs::read_dir(parent)?.flatten() {
        if entry.path().display().to_string().starts_with(&group.display().to_string()) {
            fs::remove_dir(entry.path())?;
        }
    }
    for queue in queues_of(user)?.difference(&queues) {
        let removed = Command::new("ipcrm").args(["-q", queue]).status()?;
        ensure!(removed.success(), "ipcrm -q {queue}: {removed}");
    }
    let error = judged.err().context("nothing was found out")?.to_string();
    ensure!(error.contains(broken.found), "it says {error}");
    Ok(Outcome::Holds)
}

/// The ids of a user's System V message queues: the second column of sysvipc(7)'s table, after a
/// line of titles; the eighth is the owner.
fn queues_of(user: User) -> anyhow::Result<BTreeSet<String>> {
    let table = fs::read_to_string("/proc/sysvipc/msg")?;
    let id = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_own = columns.get(7)? == &user.uid().to_string();
        is_own.then(|| columns[1].to_owned())
    };
    Ok(table.lines().skip(1).filter_map(id).collect())
}

/// A group that no other program makes.
fn own_group() -> anyhow::Result<PathBuf> {
    let group = cgroups::group_of("self", "memory")?;
    Ok(group.join(format!("left-by-{}", std::process::id())))
}

fn unlooked(user: User, place: &Path) -> anyhow::Result<()> {
    const LOOKS_AWAY: Check = Check::new(1, "it ends", "", |bench| {
        bench.stage(["true"]).finish()?.must_write("")?;
        Ok(Outcome::Holds)
    });
    let error = LOOKS_AWAY.judge(&bench(user, place, "exit 125")?);
    let error = error.err().context("nothing was found out")?.to_string();
    ensure!(error.contains("did not look at the status"), "it says {error}");
    Ok(())
}

fn two_lines(user: User, place: &Path) -> anyhow::Result<()> {
    let bench = bench(user, place, "echo bad >&2; echo usage >&2; exit 2")?;
    let complains = bench.stage(["true"]).finish()?.must_end_with(2)?.must_complain(&["bad"]);
    let error = complains.err().context("nothing was found out")?.to_string();
    ensure!(error.contains("not one line but 2"), "it says {error}");
    Ok(())
}

fn anothers(user: User, place: &Path) -> anyhow::Result<()> {
    let group = own_group()?;
    // The first time only, as another program does.
    let script = format!(
        "[ -e {place}/once ] || mkdir {}; touch {place}/once",
        group.display(),
        place = place.display()
    );
    let judged = ENDS.judge(&bench(user, place, &script)?);
    fs::remove_dir(&group)?;
    fs::remove_file(place.join("once"))?;
    let _ = judged?;
    Ok(())
}
