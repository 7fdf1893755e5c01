//! Are the records of a run the same on any machine, and different after another run?

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::{harness::trial, page, records, renaming::rename, transcript::Transcript};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("records: who speaks decides whether there is a diagram", wanted),
        trial("records: what is the machine's own is left out", left_out),
        trial("records: a number that a new namespace gets again is another name", reused),
        trial(
            "records: a page that forgets them, or shows them elsewhere, is found out",
            page::records_elsewhere_are_found,
        ),
    ]
}

fn reused() -> anyhow::Result<()> {
    let written = |first: u64, second: u64, end: &str| {
        let record = |pid: u32, message: &str, ipc: u64| {
            format!(
                "{{\"pid\":{pid},\"message\":\"{message}\",\
                 \"now\":{{\"namespaces\":{{\"ipc\":{ipc}}}}}}}\n"
            )
        };
        let parent = record(4242, end, 4026531839);
        let text = record(4244, "x", first) + &parent + &record(4246, "x", second);
        rename(&records::apart(&text))
    };
    let (one, two) = (4026532187, 4026532188);
    let end = "4244 ended with status 0";
    ensure!(written(one, one, end) == written(one, two, end), "a new namespace");
    ensure!(written(one, one, "x") != written(one, two, "x"), "the same namespace");
    Ok(())
}

fn wanted() -> anyhow::Result<()> {
    let parent = " +0.34ms parent[4242] cloning: UTS\n";
    let child = "+1.20s child[1]  hostname is box now, in here    01-uts::set_hostname\n";
    let are_wanted = |text: String| Transcript::parse(&text).map(|one| records::are_wanted(&one));
    ensure!(are_wanted(format!("as user\n$ run\n{parent}{child}"))?);
    ensure!(are_wanted(format!("as user\n$ run 2>&1 | cat\n{parent}{child}"))?);
    ensure!(!are_wanted(format!("as user\n$ run\n{parent}{parent}"))?, "one voice");
    ensure!(!are_wanted(format!("as user\n$ run\n{parent}$ run\n{child}"))?, "two runs");
    ensure!(
        !are_wanted(format!("as user\n$ run 2>&1 | grep x\n{parent}{child}"))?,
        "lines are gone"
    );
    Ok(())
}

/// What one machine's log says; `{…}` is what another may say.
fn rendered(who: &str, command: &str, role: &str, now: &str) -> anyhow::Result<String> {
    let who_and_what = format!(r#""role":"{role}","pid":4242,"level":"info","message":"<x>""#);
    let record = format!(r#"{{"elapsed_ms":0.3,{who_and_what},"now":{{{now}}}}}"#);
    let mut transcript = Transcript::parse(&format!("as {who}\n$ {command}\n"))
        .or_else(|_| Transcript::parse(&format!("as {who}\n# {command}\n")))?;
    transcript.steps[0].output = format!("{record}\nplain\t\"text\"\n");
    records::render(&transcript)
}

fn left_out() -> anyhow::Result<()> {
    let same = |who: &str, role: &str, one: &str, other: &str| {
        let [one, other] = [one, other].map(|now| rendered(who, "run", role, now));
        anyhow::Ok(rename(&one?) == rename(&other?))
    };
    let host = |kind: &str| format!(r#""root":{{"same":true,"type":"{kind}"}}"#);
    ensure!(
        same("user", "parent", &host("ext4"), &host("overlay"))?,
        "the host's file system"
    );
    let group = |path: &str| format!(r#""uid":1,"cgroup":"{path}""#);
    ensure!(
        same("user", "parent", &group("/user.slice"), &group("/"))?,
        "the caller's cgroup"
    );
    ensure!(same(
        "user",
        "child",
        &group("/a/container-01234567"),
        &group("/container-89abcdef")
    )?);
    ensure!(!same("user", "child", &group("/a/container-01234567"), &group("/a"))?);
    let capable = |capabilities: &str| format!(r#""uid":0,"capabilities":{capabilities}"#);
    ensure!(
        same("root", "parent", &capable("\"all\""), &capable("14"))?,
        "root's capabilities"
    );
    ensure!(!same("root", "child", &capable("\"all\""), &capable("14"))?);
    ensure!(!same("user", "parent", &capable("\"all\""), &capable("\"none\""))?);
    ensure!(same("both", "parent", r#""uid":0,"gid":0"#, r#""uid":1000,"gid":1000"#)?);
    let namespaces = |uts: u64, ipc: u64, time: &str| {
        format!(r#""namespaces":{{"uts":{uts},"ipc":{ipc}{time}}}"#)
    };
    let here = namespaces(4026531838, 4026531839, r#","time":4026531834"#);
    ensure!(same("user", "parent", &here, &namespaces(4026532001, 4026532002, ""))?);
    ensure!(!same("user", "parent", &here, &namespaces(4026532001, 4026532001, ""))?);
    let overlay = r#""root":{"same":false,"type":"overlay"}"#;
    let own = rendered("user", "run --driver overlay", "child", overlay)?;
    ensure!(own.contains(overlay), "the image's file system is left out: {own}");
    ensure!(!own.contains('<'), "this would begin a tag: {own}");
    let output = own.lines().last().context("there is no output")?;
    ensure!(output == r#"{"output":"plain\t\"text\""}"#, "{output}");
    Ok(())
}
