//! Is the marking right? Each exercise fails as handed out, its right answer passes, and
//! each known wrong answer fails with the sentence that teaches what is wrong with it.
//!
//! Run as root, as root and as an ordinary user; else as this user. The crates are built
//! one after the other, in one folder a chapter, as a learner's is.

mod learner;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use judge::{
    User,
    chapters::{CHAPTERS, Chapter},
    skips,
    workshop::{
        Workshop,
        answers::{self, Wrong},
        crates::Files,
        exercise::Exercise,
        marking::{Finding, checks_of, judge, todos},
        verdict::{Place, Verdict, users},
    },
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The program whose hidden subcommand judges.
const PROGRAM: &str = env!("CARGO_BIN_EXE_workshop");

/// Longer than for a learner: the machine may be busy.
const BOUND: Duration = Duration::from_secs(20);

/// For the answers that are known to hang.
const BOUND_OF_HANG: Duration = Duration::from_secs(3);

fn main() {
    let mut arguments = Arguments::from_args();
    // One at a time: a check looks at the whole machine before and after.
    arguments.test_threads = Some(1);
    let folder = env::temp_dir().join(format!("workshop-test-{}", process::id()));
    let outcome = trials(&folder).map(|trials| libtest_mimic::run(&arguments, trials));
    let _ = fs::remove_dir_all(&folder);
    match outcome {
        Ok(conclusion) => process::exit(i32::from(conclusion.has_failed())),
        Err(error) => {
            eprintln!("workshop: {error:#}");
            process::exit(101);
        }
    }
}

/// One exercise, and the folder in which its crates are made.
#[derive(Clone)]
struct Case {
    folder: PathBuf,
    chapter: &'static Chapter,
    exercise: Exercise,
}

fn trials(folder: &Path) -> anyhow::Result<Vec<Trial>> {
    let workshop = workshop(folder)?;
    workshop.build_tools()?;
    let mut trials = learner::trials(folder);
    for chapter in &CHAPTERS {
        for exercise in workshop.exercises(chapter)? {
            let name = format!("{} {}", chapter.name, exercise.file_stem());
            let wrong = workshop.wrong_answers(&exercise).with_context(|| name.clone())?;
            ensure!(
                wrong.len() >= 2,
                "{name}: {} known wrong answers, and two is the least",
                wrong.len()
            );
            let case = Case {
                folder: folder.to_owned(),
                chapter,
                exercise,
            };
            trials.push(
                case.trial(format!("{name} as handed out"), |case| case.fails_as_handed_out()),
            );
            trials.push(
                case.trial(format!("{name} answered right"), |case| case.passes_answered_right()),
            );
            for wrong in wrong {
                let name = format!("{name} wrong: {}", wrong.name);
                trials.push(case.trial(name, move |case| case.fails_answered_wrong(&wrong)));
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
    fn trial(
        &self,
        name: String,
        test: impl FnOnce(&Case) -> anyhow::Result<Completion> + Send + 'static,
    ) -> Trial {
        let case = self.clone();
        Trial::ignorable_test(name, move || {
            test(&case).map_err(|error| Failed::from(format!("{error:#}")))
        })
    }

    fn build(&self, files: &Files) -> anyhow::Result<Place> {
        let workshop = workshop(&self.folder)?;
        let stage = answers::build(
            &workshop,
            self.chapter.name,
            files,
            &workshop.crate_folder(self.chapter.name),
        )?;
        let mut place = Place::new(&stage, &workshop.target.join("debug"), Path::new(PROGRAM))?;
        place.bound = BOUND;
        Ok(place)
    }

    fn fails_as_handed_out(&self) -> anyhow::Result<Completion> {
        let files = workshop(&self.folder)?.handed_out(&self.exercise)?;
        let left = todos(&files).len();
        ensure!(
            left == self.exercise.holes.len(),
            "{left} todo! for {} holes",
            self.exercise.holes.len()
        );
        let place = self.build(&files)?;
        // Also without a look at the todo!s: the checks themselves say so.
        for user in users() {
            if let Err(reasons) = self.must_fail(&place, *user)? {
                return Ok(Completion::ignored_with(reasons));
            }
        }
        Ok(Completion::Completed)
    }

    fn passes_answered_right(&self) -> anyhow::Result<Completion> {
        let files = workshop(&self.folder)?.right_answer(&self.exercise)?;
        let place = self.build(&files)?;
        let (mut passed, mut skipped) = (0, Vec::new());
        for user in users() {
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
                judge(&place, self.chapter, &checks, *user, |check, verdict| match verdict {
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
            return Ok(Completion::Completed);
        }
        ensure!(self.may_skip(&skipped), "skipped, and CI expects no skip: {skipped:?}");
        Ok(Completion::ignored_with(skipped.join("; ")))
    }

    fn fails_answered_wrong(&self, wrong: &Wrong) -> anyhow::Result<Completion> {
        let mut place = self.build(&wrong.files)?;
        if ["HANGS", "ZOMBIE"].contains(&wrong.verdict.as_str()) {
            place.bound = BOUND_OF_HANG;
        }
        let mut judged = false;
        for user in users()
            .iter()
            .filter(|user| wrong.shows.iter().any(|shows| shows == user.name()))
        {
            let finding = match self.must_fail(&place, *user)? {
                Ok(finding) => finding,
                Err(reasons) => return Ok(Completion::ignored_with(reasons)),
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
        Ok(if judged {
            Completion::Completed
        } else {
            Completion::ignored_with("it shows as root only")
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
        ensure!(
            finding.is_some() || self.may_skip(&skipped),
            "as {}, it passes; skipped: {skipped:?}",
            user.name()
        );
        Ok(finding.ok_or_else(|| skipped.join("; ")))
    }

    fn may_skip(&self, reasons: &[String]) -> bool {
        let name = format!("{} {}", self.chapter.name, self.exercise.file_stem());
        !reasons.is_empty() && reasons.iter().all(|reason| skips::is_expected(&name, reason))
    }
}
