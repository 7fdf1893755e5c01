//! How does a learner's crate get the chapter's dependencies without being of its workspace?

use anyhow::{Context, bail};

/// What a missing piece leaves unused is no news; a `Result` that nobody looks at is.
const LINTS: &str = "\n[lints.rust]\ndead_code = \"allow\"\nunreachable_code = \"allow\"\n\
                     unused_imports = \"allow\"\n\
                     unused_mut = \"allow\"\nunused_variables = \"allow\"\n";

/// The Cargo.toml of a learner's crate: the chapter's, with what it takes from the
/// workspace written out, and the chapters at `chapters/…`.
///
/// # Errors
///
/// A line takes something from the workspace that is not there, or not on one line.
pub fn alone(chapter: &str, workspace: &str, chapters: &str) -> anyhow::Result<String> {
    let mut text = String::from("# The chapter's Cargo.toml, made to stand alone.\n");
    for (section, line) in lines(chapter) {
        match section {
            "[package]" | "[dependencies]" | "[[bin]]" => {}
            _ => continue,
        }
        let shared = if section == "[package]" {
            "[workspace.package]"
        } else {
            "[workspace.dependencies]"
        };
        let from_workspace = |name: &str| {
            let found = lines(workspace)
                .find(|(section, line)| *section == shared && key(line) == Some(name));
            let (_, value) = found
                .and_then(|(_, line)| line.split_once('='))
                .with_context(|| format!("no {name}"))?;
            anyhow::Ok(value.trim().replace("path = \"chapters/", &format!("path = \"{chapters}/")))
        };
        let written = match line.split_once('=') {
            Some((name, value))
                if name.trim_end().ends_with(".workspace") && value.trim() == "true" =>
            {
                let name = name.trim_end().trim_end_matches(".workspace");
                format!("{name} = {}", from_workspace(name)?)
            }
            Some((name, value)) if value.contains("workspace = true") => {
                format!("{name}= {}", with_features(&from_workspace(name.trim())?, value)?)
            }
            _ => line.to_owned(),
        };
        text += if line.starts_with('[') { "\n" } else { "" };
        text += &written;
        text.push('\n');
    }
    text += "\n# A workspace of its own: the repository's does not know it.\n[workspace]\n";
    text += LINTS;
    let name =
        lines(chapter).find(|(section, line)| *section == "[package]" && key(line) == Some("name"));
    let (_, name) = name
        .and_then(|(_, line)| line.split_once('='))
        .context("the chapter's Cargo.toml names no package")?;
    // A learner changes one function: with several units, only one is compiled again.
    let mut profile = format!("\n[profile.dev.package.{}]\ncodegen-units = 16\n", name.trim());
    // What the workspace says of the judge's profile is not of this crate's.
    let of_profiles =
        |section: &str| section.starts_with("[profile") && !section.ends_with(".judge]");
    for (section, line) in lines(workspace).filter(|(section, _)| of_profiles(section)) {
        profile += if line == section { "\n" } else { "" };
        profile += line;
        profile.push('\n');
    }
    Ok(text + &profile)
}

/// The workspace's dependency with the features that the chapter adds.
fn with_features(shared: &str, own: &str) -> anyhow::Result<String> {
    let list = |text: &str| {
        let (_, rest) = text.split_once("features = [")?;
        Some(rest.split_once(']')?.0.to_owned())
    };
    let (Some(of_workspace), Some(added)) = (list(shared), list(own)) else {
        bail!("not understood: {own} on top of {shared}")
    };
    Ok(shared.replace(&of_workspace, &format!("{of_workspace}, {added}")))
}

fn key(line: &str) -> Option<&str> {
    Some(line.split_once('=')?.0.trim())
}

/// Each line with its section's header, without comments and empty lines.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut section = "";
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(move |line| {
            if line.starts_with('[') {
                section = line;
            }
            (section, line)
        })
}

#[cfg(test)]
mod tests {
    use super::alone;

    const WORKSPACE: &str = "[workspace.package]\nedition = \"2024\"\n[workspace.dependencies]\n\
                             lab = { path = \"chapters/00-lab\" }\n\
                             nix = { version = \"0.31\", features = [\"fs\"] }\n\
                             log = \"0.4\"\n\
                             [profile.dev.package.\"*\"]\ndebug = false\n";

    #[test]
    fn what_comes_from_the_workspace_is_written_out() {
        let chapter = "[package]\nname = \"ch09-x\"\nedition.workspace = true\n\n[dependencies]\n\
                       lab.workspace = true\n\
                       log.workspace = true\nnix = { workspace = true, features = [\"term\"] }\n\
                       [lints]\nworkspace = true\n";
        let alone = alone(chapter, WORKSPACE, "../../chapters").unwrap();
        for line in [
            "name = \"ch09-x\"",
            "edition = \"2024\"",
            "lab = { path = \"../../chapters/00-lab\" }",
            "log = \"0.4\"",
            "nix = { version = \"0.31\", features = [\"fs\", \"term\"] }",
            "[profile.dev.package.\"*\"]",
            "[profile.dev.package.\"ch09-x\"]",
        ] {
            assert!(alone.lines().any(|found| found == line), "{line} is not in\n{alone}");
        }
        assert!(!alone.contains("workspace = true"), "{alone}");
    }

    #[test]
    fn what_the_workspace_does_not_have_is_an_error() {
        let named = "[package]\nname = \"x\"\n";
        let alone = |rest: &str| alone(&format!("{named}{rest}"), WORKSPACE, "..");
        assert!(alone("").is_ok());
        assert!(alone("[dependencies]\nno.workspace = true\n").is_err());
    }
}
