// ANCHOR: programs
//! Which programs are in an image?

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::ensure;

use crate::exec::find;

/// The programs of the image, each with its package on Debian. All but procps are on every
/// Debian and Ubuntu.
#[rustfmt::skip]
pub const PROGRAMS: &[(&str, &[&str])] = &[
    ("bash", &["bash"]),
    ("coreutils", &[
        "[", "cat", "chmod", "chown", "cp", "cut", "date", "dd", "df", "du", "echo", "env",
        "false", "head", "id", "ln", "ls", "mkdir", "mkfifo", "mknod", "mv", "printf", "pwd",
        "readlink", "rm", "rmdir", "seq", "sleep", "sort", "stat", "tail", "test", "timeout",
        "touch", "tr", "true", "tty", "uname", "wc", "whoami", "yes",
    ]),
    ("dash", &["sh"]),
    ("findutils", &["find", "xargs"]),
    ("grep", &["grep"]),
    ("hostname", &["hostname"]),
    ("mawk", &["awk"]),
    ("mount", &["mount", "umount"]),
    ("procps", &["kill", "ps"]),
    ("sed", &["sed"]),
    ("util-linux", &["more", "setpriv", "unshare"]),
];

/// Terminals that bash and more know what to do with, as far as this machine has them.
#[rustfmt::skip]
const TERMINALS: [&str; 8] = [
    "linux", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "xterm",
    "xterm-256color",
];

/// The files of this machine that the list names; all that it lacks is one error.
///
/// # Errors
///
/// A program is not here.
pub fn on_this_machine() -> anyhow::Result<Vec<(&'static str, PathBuf)>> {
    let path = env::var_os("PATH").unwrap_or_default();
    // The system's own first, and in sbin too, which an ordinary user's PATH lacks.
    let path = [OsStr::new("/usr/bin:/bin:/usr/sbin:/sbin"), &path].join(OsStr::new(":"));
    look_up(PROGRAMS, &path)
}

fn look_up<'a>(
    programs: &[(&str, &[&'a str])],
    path: &OsStr,
) -> anyhow::Result<Vec<(&'a str, PathBuf)>> {
    let (mut found, mut missing, mut packages) = (Vec::new(), Vec::new(), Vec::new());
    for (package, names) in programs {
        for name in *names {
            match find(OsStr::new(name), Some(path)) {
                Some(file) => found.push((*name, file)),
                None => {
                    missing.push(format!("`{name}`"));
                    packages.push(*package);
                }
            }
        }
    }
    packages.dedup();
    let package = if packages.len() == 1 {
        "package"
    } else {
        "packages"
    };
    ensure!(
        missing.is_empty(),
        "this machine has no {}, which the image needs: install the {package} {}",
        missing.join(", no "),
        packages.join(" and ")
    );
    Ok(found)
}

/// What the loader and the libraries look for by themselves, as far as this machine has it.
pub fn data(libraries: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    // Before glibc 2.34 the names of users were read by a library that no program names.
    let names = libraries.iter().map(|library| library.with_file_name("libnss_files.so.2"));
    let folders = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"].map(Path::new);
    let terminals = TERMINALS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(&name[..1]).join(name)));
    let all = names.chain(terminals).chain(["/etc/ld.so.cache".into()]);
    all.filter(|file| file.exists()).collect()
}
// ANCHOR_END: programs

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_one_error_with_the_packages() {
        let path = OsStr::new("/usr/bin:/bin");
        let found = look_up(&[("dash", &["sh"])], path).expect("every machine has a shell");
        assert_eq!(found[0].0, "sh");
        let list: &[(&str, &[&str])] =
            &[("dash", &["sh"]), ("a", &["no-such", "nor-this"]), ("b", &["nor-that"])];
        let error = look_up(list, path).expect_err("three are missing");
        assert_eq!(
            error.to_string(),
            "this machine has no `no-such`, no `nor-this`, no `nor-that`, which the image needs: \
             install the packages a and b"
        );
        let error = look_up(&list[2..], path).expect_err("it is missing").to_string();
        assert!(error.ends_with("no `nor-that`, which the image needs: install the package b"));
    }

    #[test]
    fn no_program_is_named_twice() {
        let names: Vec<&str> =
            PROGRAMS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
