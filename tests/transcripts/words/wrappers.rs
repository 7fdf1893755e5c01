//! Which programs run another program, and where does that stand among their words?

/// A program that runs another: which of its options take a value, and how many words stand
/// between its options and the other program.
struct Wrapper {
    name: &'static str,
    with_value: &'static [&'static str],
    words: usize,
}

#[rustfmt::skip]
const WRAPPERS: [Wrapper; 9] = [
    Wrapper { name: "command", with_value: &[], words: 0 },
    Wrapper { name: "env", with_value: &["-u", "-C"], words: 0 },
    Wrapper { name: "exec", with_value: &[], words: 0 },
    Wrapper { name: "nsenter", with_value: &["-t", "--target", "-S", "-G"], words: 0 },
    Wrapper { name: "setpriv", with_value: &["--reuid", "--regid", "--groups"], words: 0 },
    Wrapper { name: "stdbuf", with_value: &[], words: 0 },
    Wrapper { name: "timeout", with_value: &["-k", "-s"], words: 1 },
    Wrapper { name: "unshare", with_value: &["--propagation", "-S", "-G", "-R", "-w"], words: 0 },
    Wrapper { name: "xargs", with_value: &["-I", "-L", "-n", "-P"], words: 0 },
];

/// The options of the stages that take a value.
#[rustfmt::skip]
const STAGES: &[&str] = &[
    "--as", "--cap-add", "--cap-drop", "--clone", "--container-layer", "--cpu-shares",
    "--cpuset-cpus", "--driver", "-e", "--env", "--gid-map", "--hostname", "--layer",
    "--log-format", "-m", "--memory", "--name", "--oom-score-adj", "--rootfs", "-s", "--seccomp",
    "--signal", "--target", "--uid-map", "--ulimit", "--user", "--workdir",
];

/// In place of a stage's name, where only its arguments are known.
pub const A_STAGE: &str = "a-stage";

/// The scripts among the words of a command.
pub fn scripts(name: &str, arguments: &[&str]) -> Vec<String> {
    match name {
        "sh" | "bash" => {
            let script = arguments.iter().position(|word| *word == "-c").map(|at| at + 1);
            script
                .and_then(|at| arguments.get(at))
                .map(|word| word.to_string())
                .into_iter()
                .collect()
        }
        "eval" => vec![arguments.join(" ")],
        "trap" => arguments
            .first()
            .filter(|word| **word != "-")
            .map(|word| word.to_string())
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// The command that this one runs, if it does.
pub fn inner<'a>(name: &str, arguments: &'a [&'a str]) -> &'a [&'a str] {
    if let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) {
        let rest = after_options(arguments, wrapper.with_value);
        return rest.get(wrapper.words..).unwrap_or_default();
    }
    match (name, arguments) {
        ("cargo", ["run", "--bin", ..]) => &arguments[2..],
        ("cargo", ["run", "-p", _, "--example", ..]) => &arguments[4..],
        // In a workshop's folder: the program's name is not said.
        ("cargo", ["run", "--", rest @ ..]) => of_stage(A_STAGE, rest),
        ("find", _) => after(arguments, "-exec").unwrap_or_default(),
        _ => of_stage(name, arguments),
    }
}

/// A stage's command: after `--`, or the first word that is no option's. From 8 on there is a
/// subcommand before it, and `exec` has a name before it. A program that is named by its path
/// can be a stage too; others run nothing.
fn of_stage<'a>(name: &str, arguments: &'a [&'a str]) -> &'a [&'a str] {
    let is_stage = is_stage(name);
    let arguments = match arguments {
        ["--", rest @ ..] => rest, // cargo's own
        other => other,
    };
    match (arguments, after(arguments, "--")) {
        (_, Some(command)) if is_stage || name.contains('/') => command,
        (["ps" | "init" | "kill", ..], _) => &[],
        (["exec", rest @ ..], _) if is_stage => {
            after_options(rest, STAGES).get(1..).unwrap_or_default()
        }
        (["run", rest @ ..] | rest, _) if is_stage => after_options(rest, STAGES),
        _ => &[],
    }
}

/// `06-reexec`, or the path of one.
pub fn is_stage(name: &str) -> bool {
    if name == A_STAGE {
        return true;
    }
    let name = name.rsplit('/').next().unwrap_or_default();
    let mut letters = name.chars();
    let begins = [letters.next(), letters.next()]
        .iter()
        .all(|one| one.is_some_and(|one| one.is_ascii_digit()));
    begins && letters.next() == Some('-')
}

fn after<'a>(words: &'a [&'a str], word: &str) -> Option<&'a [&'a str]> {
    let at = words.iter().position(|one| *one == word)?;
    words.get(at + 1..)
}

/// What is left when options and their values are taken away from the beginning.
fn after_options<'a>(mut words: &'a [&'a str], with_value: &[&str]) -> &'a [&'a str] {
    while let [option, rest @ ..] = words {
        if *option == "--" {
            return rest;
        }
        if !option.starts_with('-') {
            break;
        }
        let skip = usize::from(with_value.contains(option));
        words = rest.get(skip..).unwrap_or_default();
    }
    words
}
