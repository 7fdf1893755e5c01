//! Where do the transcripts run?
//!
//! Started as root: on a small host of their own. The test starts itself again in new
//! PID, UTS, IPC and mount namespaces (chapter 6 does the same), calls that machine
//! `host`, and has a /home, a /root and a /tmp of its own. Started by an ordinary user: on the
//! machine as it is.

use std::{
    env,
    fs::{self, Permissions},
    io,
    os::unix::{
        fs::PermissionsExt,
        process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{self, Command},
    sync::Arc,
};

use anyhow::Context;
use judge::{cgroups, host};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{prctl, signal::Signal},
    unistd::{geteuid, getpid, sethostname},
};
use tempfile::TempDir;

use crate::place::Place;

/// The name of the machine in the book.
pub const HOST: &str = "host";

/// What the tests have: the place, and the workspace, where it can be read.
#[derive(Clone)]
pub struct Surroundings {
    pub place: Arc<Place>,
    pub workspace: PathBuf,
    /// The place's folder, where nobody else removes it.
    temporary: Option<Arc<TempDir>>,
}

impl Surroundings {
    /// Removes what was made for these tests.
    pub fn close(self) -> io::Result<()> {
        match self.temporary.and_then(Arc::into_inner) {
            Some(folder) => folder.close(),
            None => Ok(()),
        }
    }
}

/// Starts this program again on a host of its own, waits, and ends as it ended. Returns in
/// that second start, and at once for an ordinary user.
pub fn enter() -> anyhow::Result<Surroundings> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    if !geteuid().is_root() {
        host::prepare()?;
        let readable = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new()
            .prefix("transcripts-")
            .permissions(readable)
            .tempdir()?;
        return Ok(Surroundings {
            place: Arc::new(Place::make(folder.path(), workspace)?),
            workspace: workspace.to_owned(),
            temporary: Some(Arc::new(folder)),
        });
    }
    if let (1, Some(homes)) = (getpid().as_raw(), env::var_os(HOMES)) {
        return furnish(Path::new(&homes), workspace);
    }
    let own = CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNS;
    let group = OwnGroup::enter()?;
    let new = env::temp_dir().join(format!("transcripts-{}", process::id()));
    // On disk, as a person's: tmpfs cannot hold a container layer of chapter 9 before Linux 6.6.
    fs::create_dir(&new).with_context(|| format!("make {}", new.display()))?;
    let homes = Homes(new);
    let place = Place::make(&homes.0.join(PLACE), workspace)?;
    unshare(own).context("namespaces for the transcripts' host")?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("make the mounts private")?;
    let mut again = Command::new("/proc/self/exe");
    again.args(env::args_os().skip(1)).env(HOMES, &homes.0);
    // SAFETY: prctl(2) with PR_SET_PDEATHSIG is one system call: no lock, no allocation.
    unsafe { again.pre_exec(|| Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)) };
    let status = again.status().context("start this test again")?;
    drop((group, place, homes));
    process::exit(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1))
}

/// The variable that tells the second start which folder is to be its /home.
const HOMES: &str = "TRANSCRIPTS_HOMES";

/// What is in that folder beside the homes.
const PLACE: &str = ".place";
const WORKSPACE: &str = ".workspace";

/// The second start: mounts /proc, /home, /root and /tmp.
fn furnish(homes: &Path, workspace: &Path) -> anyhow::Result<Surroundings> {
    host::prepare()?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let none: Option<&str> = None;
    mount(Some("proc"), "/proc", Some("proc"), flags, none).context("mount proc on /proc")?;
    let bind = |from: &Path, to: &Path, mode: u32| {
        fs::create_dir_all(from)?;
        fs::set_permissions(from, fs::Permissions::from_mode(mode))?;
        fs::create_dir_all(to)?;
        mount(Some(from), to, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
            .with_context(|| format!("bind a folder to {}", to.display()))
    };
    // The workspace first: it can be below any of the others.
    let kept = homes.join(WORKSPACE);
    fs::create_dir(&kept)?;
    mount(Some(workspace), &kept, none, MsFlags::MS_BIND, none).context("bind the workspace")?;
    bind(homes, Path::new("/home"), 0o755)?;
    bind(Path::new("/home/.root"), Path::new("/root"), 0o700)?;
    bind(Path::new("/home/.tmp"), Path::new("/tmp"), 0o1777)?;
    env::set_current_dir("/").context("leave the folder of before")?;
    sethostname(HOST).context("sethostname")?;
    let home = Path::new("/home");
    Ok(Surroundings {
        place: Arc::new(Place::of_another(&home.join(PLACE))),
        workspace: home.join(WORKSPACE),
        temporary: None,
    })
}

/// The folder that is /home on the transcripts' host. Removed when dropped.
struct Homes(PathBuf);

impl Drop for Homes {
    fn drop(&mut self) {
        // Were the workspace still bound in there, it would be removed too.
        let kept = self.0.join(WORKSPACE);
        let _ = fs::remove_dir(&kept);
        if kept.exists() {
            return eprintln!("transcripts: {} is in use, and stays", kept.display());
        }
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("transcripts: remove {}: {error}", self.0.display());
        }
    }
}

/// On cgroup v1, a group of memory of this test's own: a stage of chapter 7 makes its groups
/// below its parent's, and clears away what killed stages left there. It cannot tell a group of
/// the machine's from one of a killed stage. Removed when dropped.
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
            .context("move into this test's own cgroup")?;
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
