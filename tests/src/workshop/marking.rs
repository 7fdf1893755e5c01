//! What happens on `check`?

use std::{collections::BTreeMap, error::Error, fmt};

use super::{
    crates::{Files, learners},
    desk::Desk,
    exercise::Exercise,
    prose::wrapped,
    shown::{named_if_slow, painted},
    state::Stand,
    verdict::{Place, Verdict},
};
use crate::{
    User,
    chapters::Chapter,
    checks::{self, Check},
};

/// The error of a learner who is not there yet: everything has been said already.
#[derive(Debug)]
pub struct NotYet;

impl fmt::Display for NotYet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("not yet")
    }
}

impl Error for NotYet {}

/// The checks of an exercise: its own first, then the rest of its chapter's but those above.
pub fn checks_of(chapter: &Chapter, exercise: &Exercise) -> Vec<&'static Check> {
    let own = exercise.checks.iter().copied();
    let named = |check: &&Check| is_own(exercise, check);
    let number = chapter.number();
    let rest = checks::all().filter(|check| check.chapter == number && !named(check));
    own.chain(rest.filter(|check| check.in_the_workshop)).collect()
}

/// A check that does not hold.
pub struct Finding {
    /// Which.
    pub check: &'static Check,
    /// How it ended.
    pub verdict: Verdict,
}

impl Finding {
    /// The sentence that teaches.
    pub fn teaches(&self) -> &'static str {
        self.verdict.teaches(self.check)
    }
}

/// Asks the checks in their order, as one user, up to the first that does not hold. `tell`
/// hears of each that does, or is skipped.
///
/// # Errors
///
/// A check could not be asked.
pub fn judge(
    place: &Place,
    chapter: &Chapter,
    checks: &[&'static Check],
    user: User,
    mut tell: impl FnMut(&Check, &Verdict),
) -> anyhow::Result<Option<Finding>> {
    for check in checks.iter().filter(|check| check.only_as.is_none_or(|only| only == user)) {
        let verdict = named_if_slow(check.name, || place.ask(chapter, check, user))?;
        if !verdict.is_fine() {
            return Ok(Some(Finding { check, verdict }));
        }
        tell(check, &verdict);
    }
    Ok(None)
}

/// The `todo!`s that are left: file, line, text.
pub fn todos(files: &Files) -> Vec<(String, usize, String)> {
    let of_file = |(file, text): (&String, &String)| -> Vec<_> {
        let lines = text.lines().enumerate().filter(|(_, line)| line.contains("todo!"));
        lines
            .map(|(index, line)| (file.clone(), index + 1, line.trim().to_owned()))
            .collect()
    };
    files.iter().flat_map(of_file).collect()
}

/// Builds the learner's crate and lets the exercise's checks judge it.
///
/// # Errors
///
/// [`NotYet`] if it does not pass, and whatever keeps it from being judged.
pub fn check(desk: &mut Desk) -> anyhow::Result<()> {
    let (workshop, chapter, exercise) = (&desk.workshop, desk.chapter, &desk.exercise);
    let folder = workshop.crate_folder(chapter.name);
    let files = learners(&folder, &workshop.chapter_source(chapter.name)?)?;
    println!("{}, exercise {}: {}\n", chapter.name, exercise.number, exercise.title);
    let tools = named_if_slow("building the programs of the checks", || workshop.build_tools())?;
    let build = || workshop.build(chapter.name, &folder);
    let (binary, warnings) = match named_if_slow("building your stage", build)? {
        Ok(built) => built,
        Err(said) => {
            print!("{said}");
            println!("{}: the compiler's words are above.\n", painted("DOES NOT BUILD"));
            return not_yet(desk, "Fix it, then");
        }
    };
    print!("{warnings}");
    let left = todos(&files);
    for (file, line, text) in &left {
        let file = workshop.shown(&folder.join(file));
        println!("{}     {file}:{line}\n         {text}", painted("TODO"));
        if text.contains("// todo!") {
            println!("         (when it is written, delete the comment, too)");
        }
    }
    if !left.is_empty() {
        println!();
        return not_yet(desk, "Write it, then");
    }
    let place = Place::new(&binary, &tools, &desk.program)?;
    let mut judged = false;
    for user in User::all() {
        let found = judge_as(&place, chapter, exercise, *user)?;
        judged |= found.judged;
        if let Some(finding) = found.finding {
            if found.told {
                println!();
            }
            tell_finding(&finding, *user);
            if !is_own(exercise, finding.check) {
                println!(
                    "That is another of the chapter's checks: the chapter's own code passes \
                     it.\n"
                );
            }
            return not_yet(desk, "Fix it, then");
        }
    }
    if !judged {
        println!("Nothing could be judged on this machine, for the reasons above.");
        return Err(NotYet.into());
    }
    let hints = desk.state.of(exercise).map_or(0, |entry| entry.hints);
    desk.state.change(&desk.exercise, Stand::Done, hints)?;
    println!("\nExercise {} of {} is done.", desk.exercise.number, desk.chapter.name);
    desk.say_what_comes();
    Ok(())
}

fn is_own(exercise: &Exercise, check: &Check) -> bool {
    exercise.checks.iter().any(|own| std::ptr::eq(*own, check))
}

struct Judged {
    judged: bool,
    /// Whether something was said of it.
    told: bool,
    finding: Option<Finding>,
}

fn judge_as(
    place: &Place,
    chapter: &Chapter,
    exercise: &Exercise,
    user: User,
) -> anyhow::Result<Judged> {
    let who = if User::all().len() > 1 {
        format!(" as {}", user.name())
    } else {
        String::new()
    };
    if let Some(reason) = place.obstacle(chapter, user)? {
        let name = chapter.name;
        println!("{}{who}  this machine does not run {name}: {reason}\n", painted("skipped"));
        return Ok(Judged {
            judged: false,
            told: true,
            finding: None,
        });
    }
    let (mut judged, mut told, mut others) = (false, false, 0);
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let finding = judge(place, chapter, &checks_of(chapter, exercise), user, |check, verdict| {
        let (word, reason) = verdict.parts();
        let is_skipped = matches!(verdict, Verdict::Skipped(_));
        told = true;
        match (is_own(exercise, check), is_skipped) {
            (true, true) => println!("{}{who}  {}: {reason}", painted(word), check.name),
            (true, false) => {
                judged = true;
                println!("{}{who}  {}", painted(word), check.name);
            }
            (false, true) => *skipped.entry(reason.to_owned()).or_default() += 1,
            (false, false) => others += 1,
        }
    })?;
    if others > 0 {
        println!("{}{who}  {others} more of the chapter's", painted("passes"));
    }
    for (reason, number) in skipped {
        println!("{}{who}  {number} more of the chapter's: {reason}", painted("skipped"));
    }
    Ok(Judged {
        judged,
        told,
        finding,
    })
}

fn tell_finding(finding: &Finding, user: User) {
    let (word, said) = finding.verdict.parts();
    let who = if User::all().len() > 1 {
        format!(" (as {})", user.name())
    } else {
        String::new()
    };
    println!("{} must hold: {}{who}", painted(&format!("{word:<8}")), finding.check.name);
    let said = said.replace("; it said: ", "\nit said:\n");
    for (index, line) in said.lines().enumerate() {
        println!("         {}{line}", if index == 0 { "but: " } else { "" });
    }
    println!("\n{}\n", wrapped(&format!("{}.", capitalised(finding.teaches()))));
}

/// The name of a function, a file or an option stays as it is.
fn capitalised(sentence: &str) -> String {
    let first = sentence.split(' ').next().unwrap_or_default();
    let mut letters = sentence.chars();
    match letters.next() {
        Some(letter) if first.chars().all(char::is_alphabetic) => {
            letter.to_uppercase().chain(letters).collect()
        }
        _ => sentence.to_owned(),
    }
}

fn not_yet(desk: &Desk, what: &str) -> anyhow::Result<()> {
    let number = &desk.chapter.name[..2];
    let hints = desk.state.of(&desk.exercise).map_or(0, |entry| entry.hints);
    let help = if hints < desk.exercise.hints.len() {
        "hint"
    } else {
        "solution"
    };
    println!("{what}: make check CH={number}   (or: make {help} CH={number})");
    Err(NotYet.into())
}
