//! A learner's way through the commands, and what happens on bad input.

mod mistakes;
mod timetable;
mod tutoring;
mod watching;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, ensure};
use judge::workshop::{Workshop, chapter, crates::write_files};
use libtest_mimic::Trial;

use crate::{PROGRAM, builder::Builder, harness::trial, workshop};

/// The folder of one learner, and what the program says there.
struct Learner {
    folder: PathBuf,
    workshop: Workshop,
}

/// What a command said, and how it ended.
struct Said {
    status: i32,
    text: String,
}

impl Said {
    fn with(self, status: i32, words: &[&str]) -> anyhow::Result<Said> {
        for word in words {
            ensure!(self.text.contains(word), "it says nothing of {word:?}, but: {}", self.text);
        }
        ensure!(
            self.status == status,
            "the exit status is {}, not {status}: {}",
            self.status,
            self.text
        );
        Ok(self)
    }

    fn without(self, word: &str) -> anyhow::Result<Said> {
        ensure!(!self.text.contains(word), "it says {word:?}: {}", self.text);
        Ok(self)
    }

    /// The last line is what to type next.
    fn ends_with(self, words: &str) -> anyhow::Result<Said> {
        let last = self.text.trim_end().lines().last().unwrap_or_default();
        ensure!(last.contains(words), "the last line is {last:?}, and says nothing of {words:?}");
        Ok(self)
    }
}

impl Learner {
    fn new(folder: &Path, name: &str) -> anyhow::Result<Learner> {
        let folder = folder.join(name);
        Ok(Learner {
            workshop: workshop(&folder)?,
            folder,
        })
    }

    fn types(&self, words: &[&str]) -> anyhow::Result<Said> {
        self.types_under(&[], words)
    }

    fn types_under(&self, wrapper: &[&str], words: &[&str]) -> anyhow::Result<Said> {
        let mut all: Vec<&str> = wrapper.to_vec();
        let folder = self.folder.display().to_string();
        all.extend([PROGRAM, "--folder", &folder]);
        all.extend(words);
        let output = Command::new(all[0]).args(&all[1..]).output().context("run the workshop")?;
        let text = [output.stdout, output.stderr].concat();
        Ok(Said {
            status: output.status.code().unwrap_or(-1),
            text: String::from_utf8_lossy(&text).into_owned(),
        })
    }

    /// Where exercise 1 of chapter 3 takes a piece out.
    fn file(&self) -> PathBuf {
        self.folder.join("03-pid/src/lib.rs")
    }

    /// Where exercise 2 does.
    fn next_file(&self) -> PathBuf {
        self.folder.join("03-pid/src/job.rs")
    }

    fn changes(&self, from: &str, to: &str) -> anyhow::Result<()> {
        change(&self.file(), from, to)
    }

    fn solves(&self, exercise: usize) -> anyhow::Result<()> {
        let exercises = self.workshop.exercises(chapter("03")?)?;
        let chapters = |text: &str, _: &_| Some(text.to_owned());
        let right = self.workshop.with_pieces_given(&exercises[exercise - 1], chapters)?;
        write_files(&right, &self.folder.join("03-pid"))
    }
}

fn change(file: &Path, from: &str, to: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(file)?;
    ensure!(text.contains(from), "{from:?} is not in {text}");
    Ok(fs::write(file, text.replacen(from, to, 1))?)
}

/// The trials, each in a folder of its own.
pub fn trials(folder: &Path, builder: &Arc<Builder>) -> Vec<Trial> {
    let of_learner = |name: &'static str, test: fn(&Learner) -> anyhow::Result<()>| {
        let (folder, builder) = (folder.to_owned(), Arc::clone(builder));
        trial(format!("a learner {name}"), move || {
            let _alone = builder.alone(); // a learner has one crate a chapter
            test(&Learner::new(&folder, &name.replace(' ', "-"))?)
        })
    };
    vec![
        of_learner("goes from start to done, and on to the next exercise", goes_through),
        of_learner("goes on to the next chapter", goes_on_to_the_next_chapter),
        of_learner("loses no work", loses_no_work),
        of_learner("gives an assistant what is so", tutoring::is_true_for_each_exercise),
        of_learner("changes what an assistant gets", tutoring::keeps_what_the_learner_changed),
        of_learner("types something that makes no sense", makes_no_sense),
        of_learner("has a checkout that cannot be written", read_only),
        of_learner("watches: colours, keys, and the next exercise", watching::goes_through),
        of_learner("leaves watch: the terminal is set back", watching::leaves),
        trial("the presenter's timetable is the sum of the exercises", timetable::is_the_sum),
        trial("the presenter's mistakes are known wrong answers", mistakes::are_known),
    ]
}

fn goes_through(learner: &Learner) -> anyhow::Result<()> {
    learner
        .types(&["start", "3"])?
        .with(0, &["exercise 1 of", "lib.rs:", "03-pid/TASK.md"])?
        .ends_with("make check CH=03")?;
    let task = fs::read_to_string(learner.folder.join("03-pid/TASK.md"))?;
    ensure!(task.contains("**Why.**") && !task.contains("Hint 1"), "TASK.md is {task}");
    let next = fs::read_to_string(learner.next_file())?;
    ensure!(!next.contains("SIGKILL);"), "the next exercise's answer is there: {next}");
    learner
        .types(&["check"])?
        .with(1, &["TODO", "one namespace more", "the mounted /proc", "make check CH=03"])?
        .without("\x1b")?;
    for title in ["Hint 1", "Hint 2", "Hint 3"] {
        learner
            .types(&["hint", "03"])?
            .with(0, &[title])?
            .ends_with("make check CH=03")?;
    }
    learner
        .types(&["hint"])?
        .with(0, &["Hint 1", "Hint 3"])?
        .ends_with("make solution CH=03")?;
    learner
        .types_under(&["env", "PATH="], &["solution"])?
        .with(0, &["--- yours\n+++ src/lib.rs\n@@ ", "+    let outside = fs::read_link"])?
        .without("libc::SIGKILL")?
        .ends_with("make check CH=03")?;

    learner.changes("pub fn say_who_i_am", "pub fun say_who_i_am")?;
    learner
        .types(&["check"])?
        .with(1, &["DOES NOT BUILD", "error:"])?
        .ends_with("make check CH=03")?;
    learner.solves(1)?;
    learner.changes("//! What a new", "//! MINE. What a new")?;
    let done = learner.types(&["check", "03-pid"])?;
    done.with(0, &["passes", "Exercise 1 of 03-pid is done"])?
        .ends_with("make start CH=03")?;
    learner
        .types(&["progress"])?
        .with(
            0,
            &[" 1/51 done", "03-pid            1/3\n       done 1. One process, two pids"],
        )?
        .with(0, &["04-mount          0/5\n     05-user-idmap     0/4\n"])?
        .without("\x1b")?
        .ends_with("make start CH=03")?;

    learner.types(&["start"])?.with(0, &["exercise 2 of"])?;
    learner.types(&["start"])?.with(0, &["is open", "exercise 2 of"])?;
    let given = learner.folder.join("03-pid/given/deaf.rs");
    ensure!(!given.exists(), "{} is there still", given.display());
    let text = fs::read_to_string(learner.file())?;
    ensure!(text.contains("MINE") && !text.contains("todo!"), "the file is {text}");
    learner
        .types(&["check"])?
        .with(1, &["TODO", "job.rs:", "end PID 1 with SIGKILL"])?;
    change(&learner.next_file(), "todo!(", "let _ = (child, arrived); // ")?;
    learner.types(&["check"])?.with(1, &["DOES NOT BUILD"])?;
    // What is handed out again has the learner's own answer to the first.
    learner.types(&["reset", "--force"])?.with(0, &["exercise 2 of"])?;
    ensure!(fs::read_to_string(learner.file())?.contains("MINE"), "the answer is gone");
    ensure!(
        fs::read_to_string(learner.next_file())?.contains("todo!("),
        "nothing is taken out"
    );
    Ok(())
}

fn goes_on_to_the_next_chapter(learner: &Learner) -> anyhow::Result<()> {
    learner.types(&["start", "03"])?.with(0, &["cargo run"])?;
    let exercises = learner.workshop.exercises(chapter("03")?)?;
    let done: Vec<String> = exercises
        .iter()
        .map(|exercise| format!("03-pid {} done 0\n", exercise.slug))
        .collect();
    fs::write(learner.folder.join("progress"), done.concat())?;
    learner.types(&["progress"])?.with(0, &[])?.ends_with("make start CH=04")?;
    learner
        .types(&["start", "03"])?
        .with(2, &["all exercises of 03-pid are done", "make start CH=04"])?;
    learner.types(&["start"])?.with(0, &["04-mount, exercise 1 of"])?;
    Ok(())
}

fn loses_no_work(learner: &Learner) -> anyhow::Result<()> {
    learner.types(&["start", "03"])?.with(0, &[])?;
    learner.types(&["reset", "03"])?.with(0, &["as it was handed out"])?;
    learner.changes("//! What a new", "//! MINE. What a new")?;
    learner.types(&["start", "03"])?.with(2, &["is there", "open", "FORCE=1"])?;
    learner
        .types(&["start", "03", "--exercise", "2"])?
        .with(2, &["is there", "EX=2 FORCE=1"])?;
    learner.types(&["reset", "03"])?.with(2, &["your work", "FORCE=1"])?;
    ensure!(fs::read_to_string(learner.file())?.contains("MINE"), "the work is gone");
    for (number, words) in [(1, ["reset", "03", "--force"]), (2, ["start", "03", "--force"])] {
        let backup = learner.folder.join(format!("03-pid.backup-{number}/src/lib.rs"));
        learner.types(&words)?.with(0, &[&format!("03-pid.backup-{number}")])?;
        ensure!(
            fs::read_to_string(&backup)?.contains("MINE"),
            "{} is not the work",
            backup.display()
        );
        ensure!(
            !fs::read_to_string(learner.file())?.contains("MINE"),
            "{words:?} did not hand out"
        );
        learner.changes("//! What a new", "//! MINE. What a new")?;
    }
    // What the learner has written where the next exercise begins is not overwritten either.
    learner.solves(1)?;
    learner.types(&["check"])?.with(0, &[])?;
    change(&learner.next_file(), "\"../given/deaf.rs\"", "mine!")?;
    learner
        .types(&["start", "03"])?
        .with(2, &["job.rs has no line", "given/deaf.rs", "make start CH=03 EX=2 FORCE=1"])?;
    let text = fs::read_to_string(learner.next_file())?;
    ensure!(text.contains("mine!"), "the work is gone");
    Ok(())
}

fn makes_no_sense(learner: &Learner) -> anyhow::Result<()> {
    learner
        .types(&["start", "42"])?
        .with(2, &["no chapter \"42\"", "01-uts, 02-ipc"])?;
    learner.types(&["start", ""])?.with(2, &["no chapter \"\""])?;
    learner.types(&["start", "03", "--exercise", "9"])?.with(2, &["no number 9"])?;
    learner
        .types(&["check"])?
        .with(2, &["nothing is started", "make start CH=01"])?;
    learner
        .types(&["hint", "03"])?
        .with(2, &["03-pid is not started", "make start CH=03"])?;

    learner.types(&["start", "03"])?.with(0, &[])?;
    fs::rename(learner.file(), learner.file().with_file_name("library.rs"))?;
    learner.types(&["check"])?.with(2, &["lib.rs is not there", "make reset"])?;
    fs::remove_dir_all(learner.folder.join("03-pid"))?;
    learner.types(&["check"])?.with(2, &["is gone", "make start CH=03 EX=1"])?;
    learner.types(&["start", "03"])?.with(0, &[])?;
    fs::write(learner.folder.join("progress"), "# mine\n03-pid pid-one half 0\n")?;
    learner
        .types(&["progress"])?
        .with(2, &["progress", "half", "mend or delete the line"])?;
    fs::write(learner.folder.join("progress"), "# mine\n03-pid no-such open 0\n")?;
    learner.types(&["check"])?.with(2, &["no-such"])?;
    Ok(())
}

fn read_only(learner: &Learner) -> anyhow::Result<()> {
    fs::create_dir_all(&learner.folder)?;
    let folder = learner.folder.display();
    let script = format!("mount -t tmpfs -o ro none {folder} && exec \"$0\" \"$@\"");
    let said = learner.types_under(
        &["unshare", "--map-root-user", "--mount", "sh", "-c", &script],
        &["start", "03"],
    )?;
    said.with(2, &["Read-only file system", "copy it to a folder of yours"])?;
    Ok(())
}
