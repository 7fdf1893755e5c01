//! Of what does a run have too little, from its start on?

use std::{
    fmt, fs, os::unix::process::CommandExt, path::PathBuf, process::Command, str::FromStr,
    thread::sleep, time::Duration,
};

use anyhow::{Context, bail, ensure};
use judge::{Ended, User, bench::Run, layered::contents};
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::{close, geteuid},
};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::stages::{Place, STATUS};

/// What there is too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// These standard streams are closed: bit N stands for descriptor N.
    Streams(u8),
    /// So many descriptors, processes of the user, or bytes in a file, and no more (getrlimit(2)).
    Limit(Limit, u64),
    /// So many blocks of 4 KiB, and no more, on the disk of the container layer and the names.
    Blocks(u64),
    /// So many files and folders there.
    Inodes(u64),
    /// The folder of --rootfs is another one from this moment on, in µs.
    Rootfs(u64),
}

/// The limits that are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Descriptors,
    Processes,
    FileSize,
}

impl Limit {
    const ALL: [Limit; 3] = [Limit::Descriptors, Limit::Processes, Limit::FileSize];

    fn word(self) -> &'static str {
        match self {
            Limit::Descriptors => "nofile",
            Limit::Processes => "nproc",
            Limit::FileSize => "fsize",
        }
    }

    fn set(self, most: u64) -> nix::Result<()> {
        let resource = match self {
            Limit::Descriptors => Resource::Nofile,
            Limit::Processes => Resource::Nproc,
            Limit::FileSize => Resource::Fsize,
        };
        let (current, maximum) = (Some(most), Some(most));
        let set = setrlimit(resource, Rlimit { current, maximum });
        set.map_err(|errno| Errno::from_raw(errno.raw_os_error()))
    }
}

/// `nofile=12`.
impl fmt::Display for Shortage {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shortage::Streams(bits) => write!(text, "closed={bits}"),
            Shortage::Limit(limit, most) => write!(text, "{}={most}", limit.word()),
            Shortage::Blocks(most) => write!(text, "blocks={most}"),
            Shortage::Inodes(most) => write!(text, "inodes={most}"),
            Shortage::Rootfs(time) => write!(text, "rootfs={time}"),
        }
    }
}

impl FromStr for Shortage {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Shortage> {
        let (kind, number) = text.split_once('=').context("a shortage is KIND=NUMBER")?;
        let number: u64 = number.parse().context("the number of a shortage")?;
        Ok(match kind {
            "closed" if number < 8 => Shortage::Streams(number as u8),
            "blocks" => Shortage::Blocks(number),
            "inodes" => Shortage::Inodes(number),
            "rootfs" => Shortage::Rootfs(number),
            _ => match Limit::ALL.into_iter().find(|limit| limit.word() == kind) {
                Some(limit) => Shortage::Limit(limit, number),
                None => bail!("no shortage is called {kind}"),
            },
        })
    }
}

impl Shortage {
    /// All rows of the table.
    pub const LABELS: [&str; 7] = [
        "standard streams are closed",
        "RLIMIT_NOFILE is small",
        "RLIMIT_NPROC is small",
        "RLIMIT_FSIZE is small",
        "the disk is full",
        "the disk has no inode left",
        "the folder of --rootfs is another one",
    ];

    /// Its row.
    pub fn label(self) -> &'static str {
        Shortage::LABELS[match self {
            Shortage::Streams(_) => 0,
            Shortage::Limit(Limit::Descriptors, _) => 1,
            Shortage::Limit(Limit::Processes, _) => 2,
            Shortage::Limit(Limit::FileSize, _) => 3,
            Shortage::Blocks(_) => 4,
            Shortage::Inodes(_) => 5,
            Shortage::Rootfs(_) => 6,
        }]
    }

    /// Those that are tried for a stage and a user. A run takes about `whole` by itself.
    pub fn all(stage: u8, user: User, whole: Duration, dice: &mut fastrand::Rng) -> Vec<Shortage> {
        let limit = |limit| move |most| Shortage::Limit(limit, most);
        let mut all: Vec<Shortage> = (1..8).map(Shortage::Streams).collect();
        all.extend((0..48).map(limit(Limit::Descriptors)));
        all.extend([0, 1, 16, 256].map(limit(Limit::FileSize)));
        if user != User::Root {
            // The kernel does not count root's.
            all.extend((0..12).map(limit(Limit::Processes)));
        }
        if stage >= 9 && geteuid().is_root() {
            all.extend((1..24).map(Shortage::Blocks));
            all.extend((1..24).map(Shortage::Inodes));
        }
        all.extend((0..20).map(|_| Shortage::Rootfs(dice.u64(..whole.as_micros() as u64))));
        all
    }

    /// Whether nobody can read what the run writes to this descriptor. Its standard error is a
    /// file here, which may be too small for a line.
    pub fn hides(self, descriptor: u8) -> bool {
        match self {
            Shortage::Streams(bits) => bits & 1 << descriptor != 0,
            Shortage::Limit(Limit::FileSize, most) => descriptor == 2 && most < 256,
            _ => false,
        }
    }

    /// Runs the stage with it. Afterwards there is enough again.
    ///
    /// # Errors
    ///
    /// It cannot be tried here.
    pub fn run(self, place: &Place) -> anyhow::Result<Ended> {
        match self {
            Shortage::Streams(bits) => before_exec(place.run()?, move || {
                let closed = (0..3).filter(|number| bits & 1 << number != 0);
                closed.into_iter().try_for_each(close)
            })
            .finish(),
            Shortage::Limit(limit, most) => {
                before_exec(place.run()?, move || limit.set(most)).finish()
            }
            Shortage::Blocks(most) => on_a_small_disk(place, &format!("size={}k", 4 * most)),
            Shortage::Inodes(most) => on_a_small_disk(place, &format!("nr_inodes={most}")),
            Shortage::Rootfs(time) => with_another_rootfs(place, Duration::from_micros(time)),
        }
    }
}

fn before_exec<'a>(
    run: Run<'a>,
    work: impl Fn() -> nix::Result<()> + Send + Sync + 'static,
) -> Run<'a> {
    run.with(|command: &mut Command| {
        // SAFETY: `work` makes system calls, and nothing else: no memory is asked for.
        unsafe { command.pre_exec(move || Ok(work()?)) };
    })
}

/// The container layer, the names and the cache are on a disk of their own.
fn on_a_small_disk(place: &Place, size: &str) -> anyhow::Result<Ended> {
    let disk = Disk::new(place, size)?;
    let ended = disk.run()?;
    disk.enlarge()?;
    disk.run()?.must_end_with(STATUS)?;
    let left = disk.files()?;
    drop(disk);
    let disk = Disk::new(place, LARGE)?;
    disk.run()?.must_end_with(STATUS)?;
    let usual = disk.files()?;
    ensure!(
        left == usual,
        "after the next run there is {left:?}, where usually {usual:?} is"
    );
    Ok(ended)
}

const LARGE: &str = "size=16m,nr_inodes=1000";

/// A tmpfs in the user's folder, as long as this lives.
struct Disk<'a> {
    place: &'a Place,
    folder: PathBuf,
}

impl<'a> Disk<'a> {
    fn new(place: &'a Place, size: &str) -> anyhow::Result<Disk<'a>> {
        let folder = place.bench().folder("disk")?;
        let disk = Disk { place, folder };
        disk.mount(MsFlags::empty(), size).context("mount a small disk")?;
        Ok(disk)
    }

    fn mount(&self, flags: MsFlags, size: &str) -> nix::Result<()> {
        let user = self.place.bench().user;
        let options = format!("{size},mode=700,uid={},gid={}", user.uid(), user.gid());
        mount(Some("none"), &self.folder, Some("tmpfs"), flags, Some(&*options))
    }

    fn enlarge(&self) -> anyhow::Result<()> {
        self.mount(MsFlags::MS_REMOUNT, LARGE).context("make the disk larger")
    }

    fn run(&self) -> anyhow::Result<Ended> {
        let run = self.place.run_with(&self.folder.join("mine"))?;
        run.env("XDG_CACHE_HOME", &self.folder)
            .env("XDG_RUNTIME_DIR", &self.folder)
            .finish()
    }

    /// All that is on it.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let files = contents(&self.folder)?.into_keys();
        files.map(|file| Ok(file.strip_prefix(&self.folder)?.to_owned())).collect()
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = umount2(&self.folder, MntFlags::MNT_DETACH);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// While it runs, another folder without a program takes the place of --rootfs.
fn with_another_rootfs(place: &Place, time: Duration) -> anyhow::Result<Ended> {
    let rootfs = place.rootfs();
    let (away, empty) = (rootfs.with_extension("away"), rootfs.with_extension("empty"));
    fs::create_dir_all(&empty).context("make another folder")?;
    let running = place.run_in_rootfs().start()?;
    sleep(time);
    fs::rename(&rootfs, &away).context("take the folder away")?;
    fs::rename(&empty, &rootfs).context("put another one there")?;
    let ended = running.finish();
    fs::remove_dir_all(&rootfs).context("remove the other one")?;
    fs::rename(&away, &rootfs).context("put the folder back")?;
    ended
}
