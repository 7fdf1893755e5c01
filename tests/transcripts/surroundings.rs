//! Where do the transcripts run?
//!
//! Started as root: on a small host of their own. The test starts itself again in new
//! PID, UTS, IPC and mount namespaces (chapter 6 does the same), calls that machine
//! `host`, and sets the next pid before each transcript, so that a refreshed page shows the
//! pids that it showed before. Started by an ordinary user: on the machine as it is.

use std::{
    env, fs,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{self, Command},
};

use anyhow::{Context, bail, ensure};
use judge::{Bench, User, cgroups, host};
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
    sys::{prctl, signal::Signal},
    unistd::{geteuid, gethostname, getpid, sethostname},
};

/// The name of the machine in the book.
const HOST: &str = "host";

/// The user's home folder in the book; the workspace is in it.
const HOME: &str = "/home/you";

/// The workspace's folder in it.
const WORKSPACE: &str = "tower";

/// The pid of the shell that runs the first command; the command's own is the next, and then its
/// child's.
const SHELL_PID: u32 = 4241;

/// In place of cargo: runs what is built already, as `cargo run` would.
const CARGO: &str = r#"#!/bin/sh
case "$1 $2" in
"run --bin") program=$3; shift 3 ;;
"run -p") program=examples/$5; [ "$4" = --example ] || exit 101; shift 5 ;;
*) echo "error: a transcript can say \`cargo run --bin NAME\` and \`cargo run -p PACKAGE --example NAME\`"; exit 101 ;;
esac
[ "$1" = -- ] && shift
[ -x "target/debug/$program" ] || { echo "error: no program is named $program"; exit 101; }
exec "target/debug/$program" "$@"
"#;

/// Starts this program again on a host of its own, waits, and ends as it ended. Returns in
/// that second start, and at once for an ordinary user.
pub fn enter() -> anyhow::Result<()> {
    if !geteuid().is_root() {
        return host::prepare();
    }
    if let (1, Some(home)) = (getpid().as_raw(), env::var_os(HOMES)) {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        let none: Option<&str> = None;
        host::prepare()?;
        mount(Some("proc"), "/proc", Some("proc"), flags, none).context("mount proc on /proc")?;
        mount(Some(home.as_os_str()), "/home", none, MsFlags::MS_BIND, none)
            .context("bind an empty folder to /home")?;
        return sethostname(HOST).context("sethostname");
    }
    let own = CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNS;
    let group = OwnGroup::enter()?;
    unshare(own).context("namespaces for the transcripts' host")?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("make the mounts private")?;
    // On disk, as a person's: tmpfs cannot hold a container layer of chapter 9 before Linux 6.6.
    let homes = Homes(env::temp_dir().join(format!("transcripts-{}", process::id())));
    fs::create_dir(&homes.0).with_context(|| format!("make {}", homes.0.display()))?;
    let mut again = Command::new("/proc/self/exe");
    again.args(env::args_os().skip(1)).env(HOMES, &homes.0);
    // SAFETY: prctl(2) with PR_SET_PDEATHSIG is one system call: no lock, no allocation.
    unsafe { again.pre_exec(|| Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)) };
    let status = again.status().context("start this test again")?;
    drop((group, homes));
    process::exit(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1))
}

/// The variable that tells the second start which folder is to be its /home.
const HOMES: &str = "TRANSCRIPTS_HOMES";

/// The folder that is /home on the transcripts' host. Removed when dropped.
struct Homes(PathBuf);

impl Drop for Homes {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("transcripts: remove {}: {error}", self.0.display());
        }
    }
}

/// On cgroup v1, a group of memory of this test's own: a stage of chapter 7 makes its groups
/// below that of its parent, and clears away what killed stages left there. From this host
/// it cannot see whose groups those of the machine are. Removed when dropped.
struct OwnGroup(Option<(PathBuf, PathBuf)>);

impl OwnGroup {
    fn enter() -> anyhow::Result<OwnGroup> {
        let Some(above) = memory_on_v1()? else {
            return Ok(OwnGroup(None));
        };
        let own = above.join(format!("transcripts-{}", process::id()));
        fs::create_dir(&own).with_context(|| format!("make the cgroup {}", own.display()))?;
        let group = OwnGroup(Some((above, own.clone())));
        fs::write(own.join("cgroup.procs"), process::id().to_string())
            .context("move into a cgroup of one's own")?;
        Ok(group)
    }
}

impl Drop for OwnGroup {
    fn drop(&mut self) {
        if let Some((above, own)) = &self.0 {
            let moved = fs::write(above.join("cgroup.procs"), process::id().to_string());
            if let Err(error) = moved.and_then(|()| fs::remove_dir(own)) {
                eprintln!("transcripts: remove the cgroup {}: {error}", own.display());
            }
        }
    }
}

/// Whether a difference is a cgroup that our stages cannot have made: on v1 they make theirs below
/// our own.
pub fn is_of_another_group(difference: &str) -> bool {
    let Ok(Some(own)) = memory_on_v1() else {
        return false;
    };
    let path = difference
        .split_once("cgroup: ")
        .or_else(|| difference.split_once("cgroup is gone: "));
    path.is_some_and(|(_, path)| !Path::new(path).starts_with(own))
}

/// This process's group in the hierarchy of memory, where that is one of cgroup v1.
pub fn memory_on_v1() -> anyhow::Result<Option<PathBuf>> {
    let hierarchy = cgroups::with("memory")?;
    if hierarchy.is_v2 {
        Ok(None)
    } else {
        hierarchy.group_of("self").map(Some)
    }
}

/// A folder with what `cargo run` runs; removed at the end.
pub struct Place(pub PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Place {
    /// Copies the programs from cargo's folder for them, beside the folder that this test is in.
    pub fn new(programs: &[String]) -> anyhow::Result<Place> {
        let above = if geteuid().is_root() {
            PathBuf::from("/home")
        } else {
            env::temp_dir()
        };
        let place = Place(above.join(format!(".transcripts-{}", process::id())));
        for folder in ["stand-in", "examples"] {
            fs::create_dir_all(place.0.join(folder))?;
        }
        let own = env::current_exe().context("where is this test's file?")?;
        let built = own
            .parent()
            .and_then(Path::parent)
            .context("this test is not in target/PROFILE/deps")?;
        for program in programs {
            let file = built.join(program);
            ensure!(
                file.exists(),
                "{} is not built: `make test` or `make transcripts` builds it",
                file.display()
            );
            fs::copy(&file, place.0.join(program))
                .with_context(|| format!("copy {}", file.display()))?;
        }
        write_script(&place.0.join("stand-in/cargo"), CARGO)?;
        Ok(place)
    }
}

fn write_script(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

/// A home folder with the workspace in it, as a transcript sees them; the programs are in
/// `target/debug`.
pub struct Workspace {
    bench: Bench,
    home: PathBuf,
    path: String,
}

impl Workspace {
    /// A new one, for the transcripts of this user.
    pub fn new(user: User, place: &Path) -> anyhow::Result<Workspace> {
        let bench = Bench::new(0, &place.join("01-uts"), user, place)?;
        let workspace = bench.folder(WORKSPACE)?;
        bench.folder(&format!("{WORKSPACE}/target"))?;
        std::os::unix::fs::symlink(place, workspace.join("target/debug"))?;
        let mut home = bench.folder.clone();
        if geteuid().is_root() {
            home = PathBuf::from(HOME);
            fs::create_dir_all(&home)?;
            let none: Option<&str> = None;
            mount(Some(&bench.folder), &home, none, MsFlags::MS_BIND, none)
                .context("bind the home folder")?;
            fs::write("/proc/sys/kernel/ns_last_pid", (SHELL_PID - 1).to_string())
                .context("set the next pid")?;
        }
        let standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let path = format!("{}:{standard}", place.join("stand-in").display());
        Ok(Workspace { bench, home, path })
    }

    /// The folder that is the user's temporary one.
    pub fn temporary(&self) -> PathBuf {
        self.bench.temporary()
    }

    /// Runs a command as a person's shell would. Returns what it wrote, and its exit status.
    pub fn run(&self, command: &str) -> anyhow::Result<(String, i32)> {
        let run = self
            .bench
            .run("sh", ["-c", command])
            .within(&self.home.join(WORKSPACE))
            .env("PATH", &self.path);
        let ended = run.env("HOME", &self.home).merged().finish()?;
        let Ok(text) = String::from_utf8(ended.output.clone()) else {
            bail!("`{command}` does not write text")
        };
        let mut text = self.as_in_the_book(text)?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        Ok((text, ended.status()))
    }

    /// An ordinary user cannot make a host for the transcripts: the names of this one are
    /// replaced by those in the book.
    fn as_in_the_book(&self, text: String) -> anyhow::Result<String> {
        if geteuid().is_root() {
            return Ok(text);
        }
        let name = gethostname()?.to_string_lossy().into_owned();
        let word = |from: &str| regex::Regex::new(&format!(r"\b{}\b", regex::escape(from)));
        let text = text.replace(&self.home.display().to_string(), HOME);
        let text = word(&name)?.replace_all(&text, HOST).into_owned();
        let uid = geteuid().to_string();
        Ok(word(&uid)?.replace_all(&text, "1000").into_owned())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if geteuid().is_root() {
            // Else the next transcript could not have the name: it will say so.
            let _ = umount2(&self.home, MntFlags::MNT_DETACH);
        }
    }
}
