//! An exercise with one answer: does the judge say of it what is known?

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use judge::{
    Outcome, User,
    chapters::Chapter,
    workshop::{
        Workshop,
        answers::Wrong,
        crates::Files,
        exercise::Exercise,
        marking::{Finding, checks_of, judge, todos},
        verdict::{Place, Verdict},
    },
};

use crate::builder::Builder;

/// Longer than for a learner: the machine may be busy.
const BOUND: Duration = Duration::from_secs(20);

/// For the answers that are known to hang.
const BOUND_OF_HANG: Duration = Duration::from_secs(3);

/// Held to read by those that share the machine, and to write by one that has it alone.
static MACHINE: RwLock<()> = RwLock::new(());

/// What is known of an answer.
enum Answer {
    /// It is none yet.
    HandedOut,
    Right,
    Wrong(Wrong),
}

/// One exercise with one answer.
pub struct Case {
    /// What its trial is called.
    pub name: String,
    pub chapter: &'static Chapter,
    exercise: Arc<Exercise>,
    files: Files,
    answer: Answer,
}

/// All answers of a chapter.
///
/// # Errors
///
/// An exercise or an answer breaks the rules.
pub fn of_chapter(workshop: &Workshop, chapter: &'static Chapter) -> anyhow::Result<Vec<Case>> {
    let exercises = workshop.exercises(chapter)?.into_iter().map(Arc::new);
    let cases = exercises.map(|exercise| {
        let name = format!("{} {}", chapter.name, exercise.file_stem());
        of_exercise(workshop, chapter, &exercise, &name).context(name)
    });
    Ok(cases.collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn of_exercise(
    workshop: &Workshop,
    chapter: &'static Chapter,
    exercise: &Arc<Exercise>,
    name: &str,
) -> anyhow::Result<Vec<Case>> {
    let case = |what: &str, files, answer| Case {
        name: format!("{name} {what}"),
        chapter,
        exercise: Arc::clone(exercise),
        files,
        answer,
    };
    let handed_out = workshop.handed_out(exercise)?;
    // As a learner has it who has solved this one, and has not come to the others yet.
    let right = if exercise.is_further() {
        workshop.right_answer(exercise)?
    } else {
        workshop.with_pieces_given(exercise, |text, _| Some(text.to_owned()))?
    };
    let left = todos(&handed_out).len();
    ensure!(left == exercise.holes.len(), "{left} todo! for its holes");
    let mut cases = vec![
        case("as handed out", handed_out, Answer::HandedOut),
        case("answered right", right, Answer::Right),
    ];
    for mut wrong in workshop.wrong_answers(exercise)? {
        let files = std::mem::take(&mut wrong.files);
        cases.push(case(&format!("wrong: {}", wrong.name), files, Answer::Wrong(wrong)));
    }
    let known = cases.len() - 2;
    ensure!(known >= 2, "{known} known wrong answers, and two is the least");
    Ok(cases)
}

impl Case {
    /// Builds it, and lets the judge judge it.
    pub fn judged(&self, builder: &Builder) -> anyhow::Result<Outcome> {
        let mut place = builder.build(self.chapter, &self.files)?;
        place.bound = BOUND;
        if self.shares_the_machine() {
            let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
            self.is_as_known(place)
        } else {
            let _alone = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
            self.is_as_known(place)
        }
    }

    fn is_as_known(&self, place: Place) -> anyhow::Result<Outcome> {
        match &self.answer {
            Answer::HandedOut => self.fails_as_handed_out(&place),
            Answer::Right => self.passes_answered_right(&place),
            Answer::Wrong(wrong) => self.fails_answered_wrong(place, wrong),
        }
    }

    /// Whether nothing that its stage makes can be taken for another stage's. A cgroup can, and
    /// where the judge is not root, so can a System V object.
    pub fn shares_the_machine(&self) -> bool {
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
            // find out. That a learner's place has all that these checks need, one exercise does.
            let has_others = self.exercise.is_further() || self.exercise.number == 1;
            let others = has_others && *user == User::Ordinary;
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
