//! What is in a transcript's file?
//!
//! ```text
//! as user
//! $ cargo run --bin 03-pid -- -q sh -c '
//! > kill -9 $$; echo still here'
//! still here
//! [exit status 1]
//! ```
//!
//! The first line says who runs it: `user`, `root` or `both`; the page leaves it away. It
//! can say `as root, on cgroup v2` (or v1) as well, where an output is that version's.
//! A command begins with the prompt, which is `$ ` or, if it takes root, `# `, and goes on
//! in lines that begin with `> `. Its output
//! follows, both streams in the order written. An exit status other than 0 stands after
//! it; a person writes that line, a refresh never does.

use anyhow::{Context, bail, ensure};
use judge::User;

/// What stands before the version if a transcript is for one version of the cgroups.
const ON_CGROUP: &str = ", on cgroup v";

/// A transcript: commands, and what they print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The first line without its `as `.
    pub who: String,
    /// The version of the cgroups that limit memory where it runs; any, if it does not say.
    pub cgroup: Option<u8>,
    pub steps: Vec<Step>,
}

/// One command of a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// As a person types it, in one line or more.
    pub command: String,
    /// Every line of it ends in a newline.
    pub output: String,
    pub status: i32,
}

impl Transcript {
    /// Reads a file's text.
    pub fn parse(text: &str) -> anyhow::Result<Transcript> {
        let (first, rest) = text.split_once('\n').context("the file is empty")?;
        let who = first
            .strip_prefix("as ")
            .context("the first line is not `as user`, `as root` or `as both`")?;
        let (who, version) = who.split_once(ON_CGROUP).unwrap_or((who, ""));
        let cgroup = match version {
            "" => None,
            "1" => Some(1),
            "2" => Some(2),
            _ => bail!("cgroup v{version} is no version: write v1 or v2"),
        };
        ensure!(
            ["user", "root", "both"].contains(&who),
            "nobody is {who:?}: write user, root or both"
        );
        let mut steps: Vec<Step> = Vec::new();
        for line in rest.lines() {
            if let Some(command) = line.strip_prefix(prompt(who)) {
                steps.push(Step {
                    command: command.to_owned(),
                    ..Step::default()
                });
                continue;
            }
            let step = steps
                .last_mut()
                .with_context(|| format!("before the first command: {line:?}"))?;
            ensure!(step.status == 0, "after an exit status comes a command, not {line:?}");
            if let Some(status) = exit_status(line) {
                step.status = status?;
            } else if let Some(more) = line.strip_prefix("> ").filter(|_| step.output.is_empty()) {
                step.command += &format!("\n{more}");
            } else {
                step.output += &format!("{line}\n");
            }
        }
        ensure!(!steps.is_empty(), "no line begins with the prompt: there is no command");
        Ok(Transcript {
            who: who.to_owned(),
            cgroup,
            steps,
        })
    }

    /// The file's text.
    pub fn render(&self) -> anyhow::Result<String> {
        let version = self.cgroup.map(|version| format!("{ON_CGROUP}{version}"));
        let mut text = format!("as {}{}\n", self.who, version.unwrap_or_default());
        for step in &self.steps {
            for line in step.output.lines() {
                let taken = line.starts_with(prompt(&self.who)) || exit_status(line).is_some();
                ensure!(
                    !taken,
                    "the output has a line that means something else in a transcript: {line:?}"
                );
            }
            text += &format!(
                "{}{}\n{}",
                prompt(&self.who),
                step.command.replace('\n', "\n> "),
                step.output
            );
            if step.status != 0 {
                text += &format!("[exit status {}]\n", step.status);
            }
        }
        Ok(text)
    }

    /// Whether this user is to run it.
    pub fn is_for(&self, user: User) -> bool {
        self.who == "both" || self.who == user.name()
    }
}

/// What a shell of this user shows before a command.
pub fn prompt(who: &str) -> &'static str {
    if who == "root" { "# " } else { "$ " }
}

fn exit_status(line: &str) -> Option<anyhow::Result<i32>> {
    let number = line.strip_prefix("[exit status ")?.strip_suffix("]")?;
    Some(match number.parse() {
        Ok(0) => Err(anyhow::anyhow!("an exit status of 0 is not written down")),
        Ok(status) => Ok(status),
        Err(_) => Err(anyhow::anyhow!("{number:?} is not an exit status")),
    })
}

impl Step {
    /// The same command with what it printed now. A program that does not exist is an error,
    /// whatever the file says, and so is another exit status.
    pub fn with(&self, mut output: String, status: i32) -> anyhow::Result<Step> {
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        // A shell says `sh: 1: NAME: not found`, or `sh: line 1: NAME: command not found`.
        for line in output.lines() {
            let by_shell = line.starts_with("sh: ") || line.starts_with("bash: ");
            if by_shell && line.ends_with("not found") {
                bail!("a program of `{}` does not exist: {line}", self.command);
            }
        }
        ensure!(
            status == self.status,
            "`{}` ended with exit status {status}, its file says {}; it printed:\n{output}",
            self.command,
            self.status
        );
        Ok(Step {
            command: self.command.clone(),
            output,
            status,
        })
    }
}
