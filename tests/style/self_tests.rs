//! Is a word of the list found, and nothing else?

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::{LIST, harness::trial, kept, prose, rules};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("style: a word of the list is found, with its line", found),
        trial("style: code, comments and addresses are no prose", no_prose),
        trial("style: a line of the list without a reason is refused", no_reason),
        trial("style: a long sentence is a suggestion, and no error", long),
        trial("style: a dependency without a reason is found", no_reason_for_a_dependency),
        trial("style: a workflow that is not pinned or may too much is found", loose_workflow),
    ]
}

fn in_markdown(text: &str) -> anyhow::Result<Vec<String>> {
    let found = rules::refused(&rules::read(LIST)?, &prose::of_markdown(text)?);
    Ok(found.iter().map(ToString::to_string).collect())
}

fn found() -> anyhow::Result<()> {
    let found = in_markdown("fine\n\nWhoever has one’s own, or\nthat  of another\n")?;
    let begin = ["3: Whoever: write \"you\"", "3: one’s own: write", "4: that  of: write"];
    ensure!(found.len() == 3, "{found:?}");
    for (found, begin) in found.iter().zip(begin) {
        ensure!(found.starts_with(begin) && found.ends_with(')'), "{found}");
    }
    Ok(())
}

fn no_prose() -> anyhow::Result<()> {
    for text in [
        "```sh\nwhoever\n```\n",
        "`whoever` and <code>whoever</code>",
        "<!-- whoever -->\n<!--\ncheck: 03 whoever\n-->\n",
        "[a page](whoever.md)\n{{#include whoever.md}}\n<a id=\"whoever\"></a>\n",
        "whoevers, somebodys\n",
    ] {
        let found = in_markdown(text)?;
        ensure!(found.is_empty(), "{text}: {found:?}");
    }
    for text in ["```\ncode\n```\nwhoever", "<!--\na\n-->\nwhoever", "<b>whoever</b>"] {
        ensure!(in_markdown(text)?.len() == 1, "{text}");
    }
    ensure!(in_markdown("```\nno end").is_err());
    Ok(())
}

fn no_reason() -> anyhow::Result<()> {
    for line in ["word", "word -> another", "( -> another | it is shorter"] {
        ensure!(rules::read(line).is_err(), "{line}");
    }
    Ok(())
}

fn long() -> anyhow::Result<()> {
    let rules = rules::read(LIST)?;
    for (text, suggestions) in [
        ("a ".repeat(40), 0),
        ("a ".repeat(41), 1),
        (format!("{}. {}", "a ".repeat(30), "a ".repeat(30)), 0),
        ("it is killed by the kernel".to_owned(), 1),
    ] {
        let lines = [text];
        ensure!(rules::refused(&rules, &lines).is_empty(), "{lines:?}");
        let found = rules::suggested(&rules, &lines);
        ensure!(found.len() == suggestions, "{found:?}");
    }
    Ok(())
}

fn no_reason_for_a_dependency() -> anyhow::Result<()> {
    let manifest = "[workspace.dependencies]\nlab = { path = \"x\" }\n# Why.\na = \"1\"\n\
                    b = \"1\"\n[profile.dev]\ndebug = false\n";
    ensure!(kept::without_reason(manifest) == ["b = \"1\""]);
    let member = "[dependencies]\na.workspace = true\nb = { workspace = true, features = [] }\n\
                  [target.'cfg(fuzzing)'.dev-dependencies]\nc = \"1\"\n[lints]\nworkspace = true\n";
    ensure!(kept::outside_the_workspace(member) == ["c = \"1\""]);
    let package = r#"{ "//": { "a": "why" }, "dependencies": { "a": "1" },
                       "devDependencies": { "b": "1" } }"#;
    ensure!(kept::unexplained(package)? == ["b"]);
    Ok(())
}

fn loose_workflow() -> anyhow::Result<()> {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let tight = format!(
        "permissions: {{}}

jobs:
  a:
    runs-on: x
    timeout-minutes: 1
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@{hash} # v1.2.3
        with:
          persist-credentials: false
  b:
    uses: ./here.yml
    permissions:
      contents: read
"
    );
    ensure!(kept::loose(&tight)?.is_empty(), "{:?}", kept::loose(&tight)?);
    for (from, to) in [
        ("permissions: {}\n", "permissions: write-all\n"),
        (&hash[1..], ""),
        (" # v1.2.3", ""),
        ("@0", "@v"),
        ("persist-credentials: false", "fetch-depth: 0"),
        ("    permissions:\n      contents: read\n    steps", "    steps"),
        ("    timeout-minutes: 1\n", ""),
    ] {
        let found = kept::loose(&tight.replacen(from, to, 1))?;
        ensure!(found.len() == 1, "{from:?} → {to:?}: {found:?}");
    }
    Ok(())
}
