//! The acceptance tests: every check on every stage that it is for, as root and as an
//! ordinary user. Started by an ordinary user, the half that needs root is left out.
//!
//! A chapter's checks run on its own stage and on the last one that runs on this machine; with
//! `JUDGE_STAGES=all` on all stages between them too, but for those that take long.
//!
//! Build the stages first (`make test` does). `JUDGE_BINARIES` names another folder with them.

#[path = "harness.rs"]
mod harness;
#[path = "self_tests.rs"]
mod self_tests;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use judge::{
    Bench, Check, Outcome, User,
    chapters::{CHAPTERS, Chapter},
    checks,
    diagnosis::{self, Verdict},
    host,
};
use libtest_mimic::Trial;
use nix::unistd::geteuid;
use tempfile::{Builder, TempDir};

fn main() {
    harness::run("acceptance", 1, || {
        let (folder, trials) = trials()?;
        Ok((|| folder.close(), trials))
    })
}

/// The trials, and the folder of the binaries, which every user can reach.
fn trials() -> anyhow::Result<(TempDir, Vec<Trial>)> {
    host::prepare()?;
    let folder = Builder::new().prefix("judge-").tempdir().context("a temporary folder")?;
    let place = folder.path();
    copy_binaries(&binaries()?, place)?;
    if !geteuid().is_root() {
        println!("not root: the half of the tests that runs as root is left out");
    }
    let mut trials = Vec::new();
    for user in User::all() {
        let doctor = Bench::new(0, &place.join("doctor"), *user, place)?;
        let diagnosis = diagnosis::ask(&doctor, &[])?;
        let ill = |chapter: &Chapter| {
            let ill =
                diagnosis.get(chapter.name).filter(|answer| answer.verdict == Verdict::Blocked);
            ill.map(|answer| answer.reasons.join("; "))
        };
        let last = CHAPTERS.iter().rfind(|chapter| ill(chapter).is_none());
        for chapter in &CHAPTERS {
            let is_last = last.is_some_and(|last| last.name == chapter.name);
            trials.extend(trials_of(chapter, *user, place, ill(chapter).as_deref(), is_last));
        }
        trials.extend(trials_of_doctor(*user, place));
        trials.extend(self_tests::trials(*user, place));
    }
    Ok((folder, trials))
}

fn trials_of(
    chapter: &Chapter,
    user: User,
    place: &Path,
    ill: Option<&str>,
    is_last: bool,
) -> Vec<Trial> {
    let stage = chapter.number();
    let all_stages = env::var("JUDGE_STAGES").is_ok_and(|word| word == "all");
    let between = |check: &Check| all_stages && !check.takes_long;
    let today = |check: &Check| check.chapter == stage || is_last || between(check);
    let checks = checks::all().filter(|check| check.is_for(stage, user) && today(check));
    let trial = |check: &'static Check| {
        let name =
            format!("{} as {}: {:02} {}", chapter.name, user.name(), check.chapter, check.name);
        let (binary, place, ill) =
            (place.join(chapter.name), place.to_owned(), ill.map(str::to_owned));
        harness::trial_or_skip(name, move || {
            let outcome = match ill {
                Some(reason) => Ok(Outcome::Skipped(reason)),
                None => {
                    Bench::new(stage, &binary, user, &place).and_then(|bench| check.judge(&bench))
                }
            };
            outcome.context(check.teaches)
        })
    };
    checks.map(trial).collect()
}

/// The doctor is judged too, on this machine and where limits or a missing capability make it ill.
fn trials_of_doctor(user: User, place: &Path) -> Vec<Trial> {
    let no_uts = "echo 0 > /proc/sys/user/max_uts_namespaces && exec \"$0\" \"$@\"";
    let no_user = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"";
    let surroundings: [(&str, Vec<&str>, &[&str]); 3] = [
        ("on this machine", vec![], &[]),
        (
            "without UTS namespaces",
            vec!["unshare", "-r", "sh", "-c", no_uts],
            &["01-uts", "06-reexec"],
        ),
        (
            "without user namespaces",
            vec!["unshare", "-r", "sh", "-c", no_user],
            &["05-user-idmap", "06-reexec"],
        ),
    ];
    let trial = |(name, under, ill): (&str, Vec<&'static str>, &'static [&'static str])| {
        let (doctor, place) = (place.join("doctor"), place.to_owned());
        let name = format!("doctor as {}: the stages do as it says {name}", user.name());
        harness::trial_or_skip(name, move || {
            Bench::new(0, &doctor, user, &place).and_then(|bench| {
                if let Some(reason) = bench.no_user_namespace()?.filter(|_| !under.is_empty()) {
                    return Ok(Outcome::Skipped(reason));
                }
                let diagnosis = diagnosis::stages_agree(&bench, &under)?;
                for chapter in ill {
                    ensure!(
                        diagnosis[*chapter].verdict == Verdict::Blocked,
                        "{chapter}: {:?}",
                        diagnosis[*chapter]
                    );
                }
                diagnosis::speaks_plainly(&bench, &under)?;
                Ok(Outcome::Holds)
            })
        })
    };
    let (doctor, folder) = (place.join("doctor"), place.to_owned());
    let name = format!("doctor as {}: a Ctrl-C ends it after its last probe", user.name());
    let interrupted = harness::trial_or_skip(name, move || {
        Bench::new(0, &doctor, user, &folder).and_then(|bench| diagnosis::is_interrupted(&bench))
    });
    let (doctor, folder) = (place.join("doctor"), place.to_owned());
    let name = format!("doctor as {}: its report has each machine of a folder", user.name());
    let reported = harness::trial_or_skip(name, move || {
        Bench::new(0, &doctor, user, &folder).and_then(|bench| is_reported(&bench))
    });
    surroundings.into_iter().map(trial).chain([interrupted, reported]).collect()
}

/// This machine, once as it is and once as a blocked one, and a file that is something else.
fn is_reported(bench: &Bench) -> anyhow::Result<Outcome> {
    let readable = fs::Permissions::from_mode(0o755);
    let folder = Builder::new().prefix("room-").permissions(readable).tempdir()?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    let doctor = |words: &[&str]| bench.run(bench.other("doctor"), words).finish();
    let own = doctor(&["--json"])?;
    let report = || doctor(&["--report", &folder.path().display().to_string()]);
    write("as-it-is.json", &own.text())?;
    let alone = report()?.must_end_with(own.status())?.text();
    ensure!(alone.contains("\nas-it-is  ") && !alone.contains("No doctor's JSON"), "{alone}");

    let other = r#""verdict":"blocked","reasons":["a test: it must not"]"#;
    let verdict = ["runs", "partly", "blocked"]
        .map(|word| format!(r#"{{"chapter":"01-uts","verdict":"{word}","reasons":["#));
    let text = own.text();
    let (start, rest) = verdict
        .iter()
        .find_map(|start| text.split_once(start.as_str()))
        .context("no chapter 1 in its JSON")?;
    let (_, rest) = rest.split_once("]}").context("its reasons have no end")?;
    write("ill.json", &format!(r#"{start}{{"chapter":"01-uts",{other}}}{rest}"#))?;
    write("mail.json", "See the file.\n")?;
    let both = report()?.must_end_with(1)?.text();
    for words in ["\nas-it-is  ", "\nill       ✗", "✗ ill\n", "it must not", "mail.json: "] {
        ensure!(both.contains(words), "no {words:?} in {both}");
    }
    Ok(Outcome::Holds)
}

/// Where cargo put the stages: beside the folder `deps` that this test is in.
fn binaries() -> anyhow::Result<PathBuf> {
    if let Some(folder) = env::var_os("JUDGE_BINARIES") {
        return Ok(folder.into());
    }
    let own = env::current_exe().context("where is this test's file?")?;
    let folder = own
        .parent()
        .and_then(Path::parent)
        .context("this test is not in target/PROFILE/deps")?;
    Ok(folder.to_owned())
}

fn copy_binaries(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::set_permissions(to, fs::Permissions::from_mode(0o777))?;
    for name in CHAPTERS
        .iter()
        .map(|chapter| chapter.name)
        .chain(["rootfs", "inside", "doctor"])
    {
        let file = from.join(name);
        if !file.exists() {
            bail!(
                "{} is not built: `cargo build --workspace` first, or `make test`",
                file.display()
            );
        }
        fs::copy(&file, to.join(name)).with_context(|| format!("copy {}", file.display()))?;
    }
    // Examples: `cargo test --workspace` builds them, and in a guest they are beside the others.
    for name in ["show", "named_hierarchy", "delegate"] {
        let places = [from.join("examples").join(name), from.join(name)];
        if let Some(file) = places.iter().find(|file| file.exists()) {
            fs::copy(file, to.join(name)).with_context(|| format!("copy {}", file.display()))?;
        }
    }
    Ok(())
}
