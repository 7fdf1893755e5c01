//! Do these tests fail when they should?

mod records;
mod typed;

use std::path::Path;

use anyhow::{Context, ensure};
use judge::User;
use libtest_mimic::Trial;
use tinyjson::JsonValue;

use crate::{
    harness::trial,
    page::{Page, every_transcript_is_shown},
    reading::difference,
    renaming::rename,
    surroundings::Surroundings,
    transcript::Transcript,
};

pub fn trials(surroundings: &Surroundings) -> Vec<Trial> {
    let with = |name: &str, test: fn(&Surroundings) -> anyhow::Result<()>| {
        let surroundings = surroundings.clone();
        trial(name, move || test(&surroundings))
    };
    let mut trials = vec![
        trial("renaming: the same value gets the same letter, another value another", letters),
        trial("renaming: what is no name stays", what_stays),
        trial("renaming: columns and times do not count", columns),
        trial("names are told apart as in the page's machine", as_in_the_page),
        trial("a transcript is read and written without loss", there_and_back),
        trial("a file that is no transcript is refused", refused),
        trial("a difference is shown by line", shown_by_line),
        with("a pasted block is found out", pasted),
        with("a transcript on no page is found out", on_no_page),
    ];
    trials.extend(records::trials());
    trials.extend(typed::trials(surroundings));
    trials
}

fn same(one: &str, other: &str) -> bool {
    rename(one) == rename(other)
}

/// The same examples are in the test of the book's pages, for the page's own code.
fn as_in_the_page() -> anyhow::Result<()> {
    let examples: JsonValue = include_str!("../renamed.json").parse()?;
    let examples: &Vec<JsonValue> = examples.get().context("a list")?;
    for example in examples {
        let [text, renamed] = [0, 1].map(|at| example[at].get::<String>());
        let (text, renamed) = text.zip(renamed).context("two texts")?;
        ensure!(rename(text) == *renamed, "not {renamed}\nbut {}", rename(text));
    }
    Ok(())
}

fn letters() -> anyhow::Result<()> {
    ensure!(same(
        "uts:[4026531838]\nuts:[4026532851]\n",
        "uts:[4026531111]\nuts:[4026532222]\n"
    ));
    ensure!(!same(
        "uts:[4026531838]\nuts:[4026532851]\n",
        "uts:[4026531838]\nuts:[4026531838]\n"
    ));
    ensure!(same("0xf7ec9f0c 0", "0x238c634c 0"));
    ensure!(!same("0xc1", "0xc2"), "a key that the code chose is no name");
    ensure!(same(
        "container-0a1b2c3d container-0a1b2c3d",
        "container-99999999 container-99999999"
    ));
    ensure!(!same(
        "container-0a1b2c3d container-0a1b2c3d",
        "container-99999999 container-99999998"
    ));
    let log = |parent: u32, child: u32, said: u32| {
        format!(" +0.10ms parent[{parent}]  {child} ended with 0     01-uts::outcome\n{said}\n")
    };
    ensure!(
        same(&log(4242, 4243, 4243), &log(777, 9000, 9000)),
        "an output can repeat a pid"
    );
    ensure!(
        !same(&log(4242, 4243, 4243), &log(777, 9000, 777)),
        "the child is not the parent"
    );
    ensure!(
        !same(&log(4242, 4243, 4243), &log(777, 9000, 9001)),
        "a number that is no pid stays"
    );
    ensure!(same("process 4242 is gone", "process 777 is gone"));
    ensure!(!same(
        "box  4242  sh\nprocess 4242 has ended",
        "box  777  sh\nprocess 778 has ended"
    ));
    Ok(())
}

fn what_stays() -> anyhow::Result<()> {
    ensure!(!same("child[1] x", "child[2] x"), "PID 1 is PID 1");
    ensure!(!same("0 1000 1", "0 1001 1"), "ids are no names");
    let written = |pid| format!("uid 0 is 1000 outside\n0 1000 1\nmap \"0 1000 1\" of {pid}\n");
    ensure!(same(&written(4244), &written(1000)), "an id is no name, whatever pid there is");
    ensure!(
        !same("+1ms parent[862] m   01-uts::spawn", "+1ms parent[862] m   01-uts::clone"),
        "the place in the code is exact"
    );
    ensure!(!same("1862 parent[862]", "14242 parent[4242]"), "a part of a number is no pid");
    ensure!(!same("[exit status 125]", "[exit status 126]"));
    Ok(())
}

fn columns() -> anyhow::Result<()> {
    let four = " +0.41ms parent[4242]    cloning: UTS       01-uts::spawn\n";
    let seven = "+1m02s parent[1234567] cloning: UTS    01-uts::spawn\n";
    ensure!(same(four, seven));
    ensure!(!same(four, &seven.replace("spawn", "clone")));
    ensure!(!same(four, &seven.replace("UTS", "IPC")));
    ensure!(same(
        "NAME  PID   COMMAND\nbox   4242  sh\n",
        "NAME  PID      COMMAND\nbox   1234567  sh\n"
    ));
    ensure!(!same("a  b\n", "a b\n"), "only the columns of the log and of ps");
    let entry = "boot 0b5a3b0c-2c43-4d0e-9b8e-6f6f3c1d2a77\nrun 4242 67890 31\n";
    let container = format!("{entry}container 4244 67890 33\n");
    ensure!(same(
        &container,
        "boot 1b5a3b0c-2c43-4d0e-9b8e-6f6f3c1d2a77\nrun 777 8 0\ncontainer 9000 9 0\n"
    ));
    ensure!(!same(&container, &container.replace("4244", "4242")), "another process");
    Ok(())
}

fn there_and_back() -> anyhow::Result<()> {
    let text = "as both\n$ one '\n> two'\n\nout\n> more\n[exit status 7]\n$ true\n";
    let transcript = Transcript::parse(text)?;
    ensure!(transcript.steps[0].command == "one '\ntwo'");
    ensure!(transcript.steps[0].output == "\nout\n> more\n");
    ensure!((transcript.steps[0].status, transcript.steps[1].status) == (7, 0));
    ensure!(transcript.render()? == text);
    ensure!(transcript.is_for(User::Root) && transcript.is_for(User::Ordinary));
    let of_root = "as root\n# id -u\n0\n$ 5\n";
    ensure!(Transcript::parse(of_root)?.render()? == of_root);
    ensure!(!Transcript::parse(of_root)?.is_for(User::Ordinary));
    for (version, first) in [(1, "as root, on cgroup v1"), (2, "as user, on cgroup v2")] {
        let prompt = if version == 1 { '#' } else { '$' };
        let text = format!("{first}\n{prompt} true\n");
        let transcript = Transcript::parse(&text)?;
        ensure!(transcript.cgroup == Some(version) && transcript.render()? == text, "{first}");
    }
    Ok(())
}

fn refused() -> anyhow::Result<()> {
    for wrong in [
        "",
        "as user\n",
        "as me\n$ true\n",
        "as user, on cgroup v3\n$ true\n",
        "as root\n$ true\n",
        "$ true\n",
        "as user\noutput of nothing\n$ true\n",
        "as user\n $ not run\n",
        "as user\n$ true\n[exit status 0]\n",
        "as user\n$ true\n[exit status one]\n",
        "as user\n$ false\n[exit status 1]\noutput after the end\n",
    ] {
        ensure!(Transcript::parse(wrong).is_err(), "{wrong:?} is no transcript");
    }
    Ok(())
}

fn shown_by_line() -> anyhow::Result<()> {
    ensure!(difference("as user\n$ true\n", "as user\n$ true\n").is_none());
    let text =
        difference("as user\n$ x\none\ntwo\n", "as user\n$ x\none\nthree\n").unwrap_or_default();
    ensure!(text.contains("two") && text.contains("three"), "{text}");
    Ok(())
}

fn pasted(surroundings: &Surroundings) -> anyhow::Result<()> {
    let workspace = &surroundings.workspace;
    let page = |text: &str| Page::with(Path::new("page.md"), text).shows_nothing_pasted(workspace);
    page("prose\n```console\n{{#include transcripts/00-lab/quiet.console:2:}}\n```\n")?;
    page("```rust,ignore\n{{#include ../../chapters/01-uts/src/main.rs}}\n```\n")?;
    page("```sh\nmake test\ncargo run --bin doctor\n```\n")?;
    for wrong in [
        "```console\n$ true\n```\n",
        "```console\n{{#include transcripts/00-lab/quiet.console:2:}}\nmore\n```\n",
        "```console\n{{#include elsewhere/file.console:2:}}\n```\n",
        "```\nno language\n```\n",
        "```rust,ignore\nfn main() {}\n```\n",
        "```rust\n{{#include ../../chapters/01-uts/src/main.rs}}\n```\n",
        "```sh\nmake nothing-of-that-name\n```\n",
        "```sh\ncargo run --bin misspelt\n```\n",
        "```sh\nno end\n",
    ] {
        ensure!(page(wrong).is_err(), "{wrong:?}");
    }
    Ok(())
}

fn on_no_page(surroundings: &Surroundings) -> anyhow::Result<()> {
    let book = surroundings.workspace.join("book/src");
    let file = book.join("transcripts/00-lab/quiet.console");
    let page = |text: &str| [Page::with(&book.join("page.md"), text)];
    let shown = |text: &str| every_transcript_is_shown(&page(text), std::slice::from_ref(&file));
    shown("{{#include transcripts/00-lab/quiet.console:2:}}")?;
    ensure!(shown("nothing").is_err());
    ensure!(
        shown("{{#include transcripts/00-lab/quiet.console:2:2}}").is_err(),
        "a part of it is not enough"
    );
    ensure!(
        shown("{{#include transcripts/00-lab/quiet.console}}").is_err(),
        "the first line is not for the page"
    );
    Ok(())
}
