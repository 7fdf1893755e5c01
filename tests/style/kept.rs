//! Is what keeps the repository in order itself in order? Each dependency has its reason, and the
//! workflows are pinned, have the least permissions, and run all that .ci/run does.

use std::{
    collections::{BTreeSet, HashMap},
    fs, mem,
    path::Path,
};

use anyhow::{Context, bail, ensure};
use libtest_mimic::Trial;
use regex::Regex;
use tinyjson::JsonValue;

use crate::{files, harness::trial};

type Check = fn(&Path) -> anyhow::Result<()>;

pub fn trials(root: &Path) -> Vec<Trial> {
    let checks: [(&str, Check); 5] = [
        ("each dependency of Rust's has its reason", rust),
        ("each dependency of npm's has its reason", npm),
        ("the workflows are pinned, and have the least permissions", workflows),
        ("the workflows run all phases of CI", phases),
        ("the placeholder is in one place", placeholder),
    ];
    let of = |(name, check): (&str, Check)| {
        let root = root.to_owned();
        trial(format!("style: {name}"), move || check(&root))
    };
    checks.into_iter().map(of).collect()
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("read {}", file.display()))
}

/// An error with one line for each finding, if there is any.
fn none(what: &str, found: &[String]) -> anyhow::Result<()> {
    ensure!(found.is_empty(), "{what}:\n{}", found.join("\n"));
    Ok(())
}

fn rust(root: &Path) -> anyhow::Result<()> {
    let own = read(&root.join("Cargo.toml"))?;
    let mut found = without_reason(&own);
    for folder in ["book/machine", "chapters", "doctor", "tests", "tour"] {
        for file in files(&root.join(folder), "", "toml")? {
            let text = read(&file)?;
            let foreign = outside_the_workspace(&text);
            let file = file.strip_prefix(root)?.display();
            found.extend(foreign.iter().map(|line| format!("{file}: not the workspace's: {line}")));
        }
    }
    none("a dependency without its reason on the line above it, in Cargo.toml", &found)?;
    let judge = read(&root.join("tests/Cargo.toml"))?;
    let judged = dependencies(&judge).map(|(_, line)| line).filter(|line| line.starts_with("ch"));
    none(
        "the judge depends on what it judges",
        &judged.map(str::to_owned).collect::<Vec<_>>(),
    )
}

/// The lines of `[…dependencies]`, each with the line above it.
fn dependencies(manifest: &str) -> impl Iterator<Item = (&str, &str)> {
    let (mut inside, mut above) = (false, "");
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        }
        let before = mem::replace(&mut above, line);
        let is_one = inside && line.starts_with(|c: char| c.is_ascii_alphabetic());
        is_one.then_some((before, line))
    })
}

pub fn without_reason(manifest: &str) -> Vec<String> {
    let all = dependencies(manifest).filter(|(_, line)| !line.contains("path = "));
    all.filter(|(above, _)| !above.starts_with("# "))
        .map(|(_, line)| line.to_owned())
        .collect()
}

pub fn outside_the_workspace(manifest: &str) -> Vec<String> {
    let known = ["path = ", ".workspace = true", "{ workspace = true"];
    let inherited = |line: &str| known.iter().any(|words| line.contains(words));
    let all = dependencies(manifest).filter(|(_, line)| !inherited(line));
    all.map(|(_, line)| line.to_owned()).collect()
}

/// package.json has no comments: the reasons are the object `//`, which npm ignores.
fn npm(root: &Path) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for folder in [".ci/workflows", "book/machine", "book/test"] {
        let missing = unexplained(&read(&root.join(folder).join("package.json"))?)?;
        found.extend(missing.iter().map(|name| format!("{folder}/package.json: {name}")));
    }
    none("a dependency that \"//\" has no reason for", &found)
}

pub fn unexplained(package: &str) -> anyhow::Result<Vec<String>> {
    let value: JsonValue = package.parse()?;
    let fields: &HashMap<String, JsonValue> = value.get().context("no object")?;
    let keys = |field: &str| {
        let object: Option<&HashMap<String, JsonValue>> =
            fields.get(field).and_then(JsonValue::get);
        object
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect::<BTreeSet<_>>()
    };
    let all = &keys("dependencies") | &keys("devDependencies");
    ensure!(!all.is_empty(), "no dependencies");
    Ok(all.difference(&keys("//")).cloned().collect())
}

fn workflows(root: &Path) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for file in files(&root.join(".github/workflows"), "", "yml")? {
        let name = file.strip_prefix(root)?.display();
        found.extend(loose(&read(&file)?)?.iter().map(|line| format!("{name}: {line}")));
    }
    none("a workflow is not as it must be", &found)
}

/// What of a workflow is not pinned, or has more permissions than it needs.
pub fn loose(workflow: &str) -> anyhow::Result<Vec<String>> {
    let pinned = Regex::new(r"^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")?;
    let mut found = Vec::new();
    if !workflow.lines().any(|line| line == "permissions: {}") {
        found.push("no line `permissions: {}`".to_owned());
    }
    for line in workflow.lines() {
        let Some((_, action)) = line.split_once("uses: ") else {
            continue;
        };
        if !action.starts_with("./") && !pinned.is_match(action) {
            found.push(format!("not pinned by a hash with its version: {action}"));
        }
    }
    let count = |words: &str| workflow.matches(words).count();
    if count("actions/checkout@") != count("persist-credentials: false") {
        found.push("a checkout keeps its credentials: `persist-credentials: false`".to_owned());
    }
    found.extend(loose_jobs(workflow)?);
    Ok(found)
}

fn loose_jobs(workflow: &str) -> anyhow::Result<Vec<String>> {
    let (_, jobs) = workflow.split_once("\njobs:\n").context("no jobs")?;
    let begin = Regex::new(r"(?m)^  [\w-]+:$")?;
    let starts: Vec<usize> = begin.find_iter(jobs).map(|found| found.start()).collect();
    ensure!(!starts.is_empty(), "no job");
    let ends = starts[1..].iter().copied().chain([jobs.len()]);
    let mut found = Vec::new();
    for (start, end) in starts.iter().copied().zip(ends) {
        let job = &jobs[start..end];
        let name = job.lines().next().unwrap_or_default().trim();
        if !job.contains("\n    permissions:\n") {
            found.push(format!("no permissions of its own: {name}"));
        }
        if job.contains("runs-on:") && !job.contains("\n    timeout-minutes: ") {
            found.push(format!("no bound on its time: {name}"));
        }
    }
    Ok(found)
}

/// Each phase of .ci/run is in a job, and each phase that a job names is there.
fn phases(root: &Path) -> anyhow::Result<()> {
    let script = read(&root.join(".ci/run"))?;
    let titles = Regex::new(r"(?m)^  \[(\w+)\]=")?;
    let own: BTreeSet<&str> = titles
        .captures_iter(&script)
        .filter_map(|one| Some(one.get(1)?.as_str()))
        .collect();
    ensure!(own.len() > 10, "{own:?}");
    let texts: Vec<String> = files(&root.join(".github/workflows"), "", "yml")?
        .iter()
        .map(|file| read(file))
        .collect::<anyhow::Result<_>>()?;
    let called = Regex::new(r"phases: ([\w ]+),|\.ci/run ([a-z_ ]+)$")?;
    let mut run = BTreeSet::new();
    for line in texts.iter().flat_map(|text| text.lines()) {
        for one in called.captures_iter(line) {
            let words = one.get(1).or(one.get(2)).context("one of the two")?;
            run.extend(words.as_str().split_whitespace());
        }
    }
    if own != run {
        bail!("phases that no job runs, or that .ci/run lacks: {:?}", &own ^ &run);
    }
    Ok(())
}

/// The host's user and repository are in Cargo.toml, and nowhere else.
fn placeholder(root: &Path) -> anyhow::Result<()> {
    let words = ["github.com", "/OWNER/"].concat();
    ensure!(read(&root.join("Cargo.toml"))?.contains("\nrepository = \""), "no `repository`");
    let mut texts = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    texts.extend(["SECURITY.md", "CHANGELOG.md", "book/book.toml"].map(|file| root.join(file)));
    texts.extend(files(&root.join("book/src"), "", "md")?);
    texts.extend(files(&root.join(".github"), "", "yml")?);
    let mut found = Vec::new();
    for file in texts {
        if read(&file)?.contains(&words) {
            found.push(file.display().to_string());
        }
    }
    none("the placeholder is in Cargo.toml only", &found)
}
