//! Is a command of a page one that the project has?

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;

use super::files_in;

/// `make TARGET`, `cargo run --bin NAME …`, or mdBook itself.
pub fn is_known_command(line: &str, workspace: &Path) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["make", target, ..] if words[2..].iter().all(|word| word.contains('=')) => {
            fs::read_to_string(workspace.join("Makefile")).is_ok_and(|makefile| {
                makefile.lines().any(|line| line.starts_with(&format!("{target}:")))
            })
        }
        ["cargo", "run", "--bin", name, ..] => {
            built_programs(workspace).is_ok_and(|programs| programs.contains(name))
        }
        ["mdbook", "serve", "book"] => true,
        _ => false,
    }
}

/// The binaries and examples that the workspace builds, by cargo's own account of them.
pub fn built_programs(workspace: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut manifests = Vec::new();
    files_in(&workspace.join("chapters"), "toml", &mut manifests)?;
    manifests.extend(["doctor", "tests"].map(|name| workspace.join(name).join("Cargo.toml")));
    let mut programs = BTreeSet::new();
    let named = Regex::new(r#"(?m)^\[\[bin\]\]\s+name = "([^"]+)""#)?;
    for manifest in manifests {
        let text = fs::read_to_string(&manifest)?;
        programs.extend(named.captures_iter(&text).map(|name| name[1].to_owned()));
        let mut files = Vec::new();
        for folder in ["src/bin", "examples"].map(|folder| manifest.with_file_name(folder)) {
            if folder.is_dir() {
                files_in(&folder, "rs", &mut files)?;
            }
        }
        programs
            .extend(files.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())));
    }
    Ok(programs)
}
