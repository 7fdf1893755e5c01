//! Does a reader who types one word learn where to begin?

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the command prints on standard output; its exit status is 0.
#[track_caller]
fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.expect("the program is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {}: {said}", output.status);
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// The programs that these lines run.
fn named(text: &str) -> BTreeSet<&str> {
    let programs = text.split("cargo run --bin ").skip(1);
    programs.filter_map(|rest| rest.split_whitespace().next()).collect()
}

fn must_be_programs(text: &str) {
    let stages = fs::read_dir(root().join("chapters")).expect("the chapters are there");
    let mut known: BTreeSet<String> = stages
        .map(|entry| entry.expect("a chapter").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(known.remove("00-lab"));
    for stage in &known {
        assert!(!text.contains("The stages") || text.contains(stage), "{stage}: {text}");
    }
    known.insert("doctor".into());
    for program in named(text) {
        assert!(known.contains(program), "there is no program {program}");
    }
}

#[test]
fn cargo_run_alone_says_where_to_begin() {
    let text = printed(env!("CARGO"), &["run", "--quiet"]);
    assert!(text.contains("Begin here") && text.contains("make serve"), "{text}");
    must_be_programs(&text);
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "a line has {longest:?} letters");
}

#[test]
fn make_alone_says_where_to_begin() {
    let text = printed("make", &["--no-print-directory"]);
    assert!(text.starts_with("Where to begin:\n  cargo run --bin"), "{text}");
    for target in ["doctor", "rootfs", "serve", "start", "check", "test"] {
        assert!(text.contains(&format!("\n  make {target} ")), "no {target} in {text}");
    }
    must_be_programs(&text);
}
