//! Is it found out if what a reader types does not do what the page says?

use std::{fs, path::PathBuf};

use anyhow::ensure;
use judge::{Outcome, User};
use libtest_mimic::Trial;

use crate::{
    harness::trial, reader::Reader, reading::Reading, reading::difference,
    surroundings::Surroundings, transcript::Transcript,
};

pub fn trials(surroundings: &Surroundings) -> Vec<Trial> {
    let with = |name: &str, test: fn(&Typist) -> anyhow::Result<()>| {
        let surroundings = surroundings.clone();
        trial(name, move || test(&Typist::new(surroundings)?))
    };
    vec![
        with("a right transcript passes", right),
        with("a wrong output is found out", wrong_output),
        with("a wrong exit status is found out", wrong_status),
        with("a program that does not exist is found out", missing_program),
        with("the two streams keep their order", merged),
        with("a shell keeps its variables and descriptors for the next command", one_shell),
        with("a uid or gid that is typed is found out", typed_id),
        with("a login has no TMPDIR and no sbin, and its groups", login),
        with("what a page leaves is found out", left),
        with("a second time that differs is found out, with the command", second_time),
    ]
}

/// The ordinary user, at a clone.
struct Typist {
    reader: Reader,
    surroundings: Surroundings,
}

impl Typist {
    fn new(surroundings: Surroundings) -> anyhow::Result<Typist> {
        let reader = Reader::new(User::Ordinary, &surroundings.place)?;
        Ok(Typist {
            reader,
            surroundings,
        })
    }

    /// The difference between a transcript and what is printed now.
    fn types(&self, text: &str) -> anyhow::Result<Option<String>> {
        let now = self.reader.types(&Transcript::parse(text)?, "sh")?;
        Ok(difference(text, &now.render()?))
    }

    fn must_see(&self, text: &str) -> anyhow::Result<()> {
        let difference = self.types(text)?;
        ensure!(difference.is_none(), "{}", difference.unwrap_or_default());
        Ok(())
    }

    /// The error of typing it; empty if there is none.
    fn error_of(&self, text: &str) -> String {
        self.types(text).err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    /// A page with one transcript.
    fn page(&self, name: &str, text: &str) -> anyhow::Result<Reading> {
        let file: PathBuf = self.surroundings.place.folder.join(format!("{name}.console"));
        fs::write(&file, text)?;
        Ok(Reading::new(User::Ordinary, &self.surroundings.place, vec![file]))
    }
}

fn right(typist: &Typist) -> anyhow::Result<()> {
    typist.must_see("as user\n$ echo one; echo two >&2\none\ntwo\n")?;
    typist.must_see("as user\n$ cargo run --bin 01-uts -- -q sh -c 'exit 3'\n[exit status 3]\n")
}

fn wrong_output(typist: &Typist) -> anyhow::Result<()> {
    for (text, what) in [
        ("$ echo one\ntwo\n", "another line"),
        ("$ echo one\n", "a missing line"),
        ("$ true\none\n", "a line too many"),
    ] {
        ensure!(typist.types(&format!("as user\n{text}"))?.is_some(), "{what}");
    }
    Ok(())
}

fn wrong_status(typist: &Typist) -> anyhow::Result<()> {
    for text in ["$ false\n", "$ true\n[exit status 1]\n", "$ exit 2\n[exit status 1]\n"] {
        let error = typist.error_of(&format!("as user\n{text}"));
        ensure!(error.contains("exit status"), "{text:?}: {error:?}");
    }
    Ok(())
}

fn missing_program(typist: &Typist) -> anyhow::Result<()> {
    for command in ["no-such-program", "no-such-program | cat", "no-such-program; true"] {
        let error = typist.error_of(&format!("as user\n$ {command}\n"));
        ensure!(
            error.contains("does not exist") || error.contains("exit status 127"),
            "{command}: {error:?}"
        );
    }
    for command in [
        "cargo run --bin no-such-stage",
        "cargo build",
        "cargo build -p ch11-nsenter --example no-such-example",
    ] {
        ensure!(!typist.error_of(&format!("as user\n$ {command}\n")).is_empty(), "{command}");
    }
    typist.must_see("as user\n$ cargo build -p ch11-nsenter --example before_main\n")
}

fn merged(typist: &Typist) -> anyhow::Result<()> {
    let command = "echo 1; echo 2 >&2; echo 3; sh -c 'echo 4 >&2'; echo 5";
    typist.must_see(&format!("as user\n$ {command}\n1\n2\n3\n4\n5\n"))
}

fn one_shell(typist: &Typist) -> anyhow::Result<()> {
    typist.must_see(
        "as user\n$ x=\"it's one\"; exec 9<.\n$ echo $x; readlink /proc/self/fd/9\n\
         it's one\n/home/you/tower\n$ printf 'no newline'\nno newline\n$ exit 3\n[exit status 3]\n",
    )
}

fn typed_id(typist: &Typist) -> anyhow::Result<()> {
    typist.must_see("as user\n$ id -u; id -g; cd; pwd; hostname\n1000\n1000\n/home/you\nhost\n")?;
    let map = "unshare --user --map-root-user cat /proc/self/uid_map";
    typist.must_see(&format!("as user\n$ {map}\n         0       1000          1\n"))?;
    if User::Ordinary.uid() == 1000 {
        return Ok(()); // on this machine it would be right
    }
    for command in ["[ $(id -u) = 1000 ]", "[ $(id -g) = 1000 ]"] {
        let error = typist.error_of(&format!("as user\n$ {command}\n"));
        ensure!(error.contains("exit status 1"), "{command}: {error:?}");
    }
    Ok(())
}

fn login(typist: &Typist) -> anyhow::Result<()> {
    typist.must_see("as user\n$ echo \"<$TMPDIR>\"\n<>\n")?;
    typist.must_see("as user\n$ echo $PATH | tr : '\\n' | grep -c sbin\n0\n[exit status 1]\n")?;
    typist.must_see("as user\n$ echo $HOME $USER $LOGNAME\n/home/you you you\n")?;
    if User::Ordinary.is_another() {
        typist.must_see("as user\n$ id -G | wc -w\n2\n")?;
    }
    Ok(())
}

fn left(typist: &Typist) -> anyhow::Result<()> {
    for (command, name) in [
        ("touch left", "left"),
        ("touch ~/left", "~/left"),
        ("echo >>README.md", "README.md"),
        ("mkdir workshop; touch workshop/left", "workshop"),
    ] {
        match typist.page("left", &format!("as user\n$ {command}\n"))?.again() {
            Ok(Outcome::Skipped(_)) => return Ok(()), // without git nobody can tell
            Ok(Outcome::Holds) => anyhow::bail!("`{command}` leaves nothing"),
            Err(error) => ensure!(format!("{error:#}").contains(name), "{command}: {error:#}"),
        }
    }
    let clean = "as user\n$ cargo run --bin rootfs -- -q rootfs; mkdir a\n$ rmdir a\n";
    typist.page("clean", clean)?.again().map(drop)
}

fn second_time(typist: &Typist) -> anyhow::Result<()> {
    for (command, message) in [
        ("mkdir shelf", "`mkdir shelf` ended with exit status 1"),
        ("cat note 2>/dev/null || true; echo x >note", "`cat note"),
    ] {
        let mut page = typist.page("twice", &format!("as user\n$ true\n$ {command}\n"))?;
        ensure!(matches!(page.first_time(0)?, Outcome::Holds), "{command}");
        let error = page.again().err().map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(
            error.contains("the second time") && error.contains(message),
            "{command}: {error:?}"
        );
    }
    Ok(())
}
