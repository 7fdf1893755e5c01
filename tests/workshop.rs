//! Is the marking right? Each exercise fails as handed out, its right answer passes, and
//! each known wrong answer fails with the sentence that teaches what is wrong with it.
//!
//! Run as root, as root and as an ordinary user; else as this user. The crates are built
//! one after the other, in one folder a chapter, as a learner's is, and judged beside each other.

#[path = "builder.rs"]
mod builder;
#[path = "harness.rs"]
mod harness;
mod learner;

use std::{
    env,
    path::{Path, PathBuf},
    process,
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use judge::{
    Outcome, User,
    chapters::{CHAPTERS, Chapter},
    workshop::{
        Workshop,
        answers::Wrong,
        crates::Files,
        exercise::Exercise,
        marking::{Finding, checks_of, judge, todos},
        verdict::{Place, Verdict},
    },
};
use libtest_mimic::Trial;

use crate::{builder::Builder, harness::trial_or_skip};

/// The program whose hidden subcommand judges.
const PROGRAM: &str = env!("CARGO_BIN_EXE_workshop");

/// Held to read by those that share the machine, and to write by one that has it alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// Longer than for a learner: the machine may be busy.
const BOUND: Duration = Duration::from_secs(20);

/// For the answers that are known to hang.
const BOUND_OF_HANG: Duration = Duration::from_secs(3);

fn main() {
    // An answer that hangs, or that leaves something, is mostly waited for.
    let at_once = thread::available_parallelism().map_or(2, |processors| 2 * processors.get());
    harness::run("workshop", at_once.min(8), || {
        let folder = Folder(env::temp_dir().join(format!("workshop-test-{}", process::id())));
        let trials = trials(&folder.0)?;
        Ok((folder, trials))
    })
}

/// The folder of all crates. Removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("workshop: remove {}: {error}", self.0.display());
        }
    }
}

/// One exercise with one answer, and what builds it.
struct Case {
    chapter: &'static Chapter,
    exercise: Arc<Exercise>,
    files: Files,
    builder: Arc<Builder>,
}

fn trials(folder: &Path) -> anyhow::Result<Vec<Trial>> {
    let workshop = workshop(folder)?;
    workshop.build_tools()?;
    let builder = Arc::new(Builder::new(workshop.clone(), Path::new(PROGRAM)));
    let mut trials = learner::trials(folder, &builder);
    for chapter in &CHAPTERS {
        for exercise in workshop.exercises(chapter)? {
            let exercise = Arc::new(exercise);
            let name = format!("{} {}", chapter.name, exercise.file_stem());
            let case = |files| Case {
                chapter,
                exercise: Arc::clone(&exercise),
                files,
                builder: Arc::clone(&builder),
            };
            let wrong = workshop.wrong_answers(&exercise).with_context(|| name.clone())?;
            ensure!(
                wrong.len() >= 2,
                "{name}: {} known wrong answers, and two is the least",
                wrong.len()
            );
            let handed_out = workshop.handed_out(&exercise)?;
            let left = todos(&handed_out).len();
            ensure!(left == exercise.holes.len(), "{name}: {left} todo! for its holes");
            let (one, two) = (case(handed_out), case(workshop.right_answer(&exercise)?));
            trials.push(trial_or_skip(format!("{name} as handed out"), move || {
                one.judged(|place| one.fails_as_handed_out(&place))
            }));
            trials.push(trial_or_skip(format!("{name} answered right"), move || {
                two.judged(|place| two.passes_answered_right(&place))
            }));
            for mut wrong in wrong {
                let case = case(std::mem::take(&mut wrong.files));
                let name = format!("{name} wrong: {}", wrong.name);
                trials.push(trial_or_skip(name, move || {
                    case.judged(|place| case.fails_answered_wrong(place, &wrong))
                }));
            }
        }
    }
    Ok(trials)
}

fn workshop(folder: &Path) -> anyhow::Result<Workshop> {
    Ok(Workshop {
        folder: folder.to_owned(),
        ..Workshop::of_repository(Path::new(PROGRAM))?
    })
}

impl Case {
    /// Builds it, and lets `judge` judge it.
    fn judged(
        &self,
        judge: impl FnOnce(Place) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        let mut place = self.builder.build(self.chapter.name, &self.files)?;
        place.bound = BOUND;
        if self.shares_the_machine() {
            let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
            judge(place)
        } else {
            let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
            judge(place)
        }
    }

    /// Whether nothing that its stage makes can be taken for another stage's. A cgroup can, and
    /// where the judge is not root, so can a System V object.
    fn shares_the_machine(&self) -> bool {
        match self.chapter.number() {
            2 => User::all().contains(&User::Root),
            number => number < 7 || number > 7 && !self.exercise.is_further(),
        }
    }

    fn fails_as_handed_out(&self, place: &Place) -> anyhow::Result<Outcome> {
        // Also without a look at the todo!s: the checks themselves say so.
        for user in User::all() {
            if let Err(reasons) = self.must_fail(place, *user)? {
                return Ok(Outcome::Skipped(reasons));
            }
        }
        Ok(Outcome::Holds)
    }

    fn passes_answered_right(&self, place: &Place) -> anyhow::Result<Outcome> {
        let (mut passed, mut skipped) = (0, Vec::new());
        for user in User::all() {
            // That the chapter's own code passes all of the chapter's checks, the acceptance tests
            // find out.
            let others = self.exercise.is_further() && *user == User::Ordinary;
            let own = &self.exercise.checks;
            let checks = if others {
                checks_of(self.chapter, &self.exercise)
            } else {
                own.clone()
            };
            let finding =
                judge(place, self.chapter, &checks, *user, |check, verdict| match verdict {
                    Verdict::Skipped(reason) if skipped.contains(reason) => {}
                    Verdict::Skipped(reason) => skipped.push(reason.clone()),
                    _ => passed += usize::from(own.iter().any(|own| std::ptr::eq(*own, check))),
                })?;
            if let Some(Finding { check, verdict }) = finding {
                bail!("as {}, {:?} says {verdict:?}", user.name(), check.name);
            }
        }
        // What was skipped beside what passed, the acceptance tests say.
        if passed > 0 {
            return Ok(Outcome::Holds);
        }
        ensure!(!skipped.is_empty(), "it has no check for anybody");
        Ok(Outcome::Skipped(skipped.join("; ")))
    }

    fn fails_answered_wrong(&self, mut place: Place, wrong: &Wrong) -> anyhow::Result<Outcome> {
        if ["HANGS", "ZOMBIE"].contains(&wrong.verdict.as_str()) {
            place.bound = BOUND_OF_HANG;
        }
        let mut judged = false;
        for user in User::all()
            .iter()
            .filter(|user| wrong.shows.iter().any(|shows| shows == user.name()))
        {
            let finding = match self.must_fail(&place, *user)? {
                Ok(finding) => finding,
                Err(reasons) => return Ok(Outcome::Skipped(reasons)),
            };
            judged = true;
            let (word, said) = finding.verdict.parts();
            let told = format!(
                "as {}: {word}, {:?}: {}\n{said}",
                user.name(),
                finding.check.name,
                finding.teaches()
            );
            ensure!(word == wrong.verdict, "it is to say {}, but {told}", wrong.verdict);
            ensure!(
                finding.teaches().contains(&wrong.says),
                "it is to teach {:?}, but {told}",
                wrong.says
            );
        }
        Ok(match judged {
            true => Outcome::Holds,
            false => Outcome::Skipped("it shows as root only".into()),
        })
    }

    /// The first of the exercise's checks that does not hold; or, where none could be made on
    /// this machine that would tell, the reasons (on CI: if they are expected ones).
    fn must_fail(&self, place: &Place, user: User) -> anyhow::Result<Result<Finding, String>> {
        let mut skipped = Vec::new();
        let finding = judge(place, self.chapter, &self.exercise.checks, user, |_, verdict| {
            if let Verdict::Skipped(reason) = verdict
                && !skipped.contains(reason)
            {
                skipped.push(reason.clone());
            }
        })?;
        ensure!(finding.is_some() || !skipped.is_empty(), "as {}, it passes", user.name());
        Ok(finding.ok_or_else(|| skipped.join("; ")))
    }
}
