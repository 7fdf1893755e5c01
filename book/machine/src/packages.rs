//! Which of Debian's programs are in the machine, and which libraries do they need?

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use kernels::{
    debian::Archive,
    tools::{find, output},
};

/// The last suite with a kernel for i686.
const SUITE: &str = "bookworm";
const ARCHITECTURE: &str = "i386";
const KERNEL: &str = "linux-image-686";

/// What the book's commands call beside the programs of the image, and what a person at the prompt
/// expects.
#[rustfmt::skip]
const PROGRAMS: &[(&str, &[&str])] = &[
    ("bsdutils", &["script"]),
    ("coreutils", &["base64", "cksum", "fold", "stty", "sync", "tee"]),
    ("uidmap", &["newgidmap", "newuidmap"]),
    ("util-linux", &["ipcs", "nsenter", "setsid"]),
    ("util-linux-extra", &["ipcmk", "ipcrm"]),
];

/// In /usr/sbin: not in the PATH of an ordinary user.
const SYSTEMS: &[(&str, &[&str])] = &[("coreutils", &["chroot"]), ("util-linux", &["pivot_root"])];

/// The programs of these packages are busybox's: a page fetches less, and a static program starts
/// faster. What busybox has not, or not with the options that the book uses, is Debian's own.
const BY_BUSYBOX: &[&str] = &["coreutils", "findutils", "grep", "mawk", "procps"];
const BUT: &[&str] = &["cat", "cp", "date", "dd", "head", "id", "readlink", "tail", "timeout"];

/// Packages of libraries. Of these, only what a program needs is taken.
#[rustfmt::skip]
const LIBRARIES: &[&str] = &[
    "libacl1", "libattr1", "libaudit1", "libblkid1", "libc6", "libcap-ng0", "libcrypt1",
    "libmount1", "libpam0g", "libpcre2-8-0", "libselinux1", "libsemanage2", "libsepol2",
    "libsmartcols1", "libsubid4", "libtinfo6", "libudev1", "libuuid1",
];

/// The first process, the emulated computer's firmware, and what a terminal can do.
const FURTHER: &[&str] = &["busybox-static", "ncurses-base", "seabios"];

/// What was taken from the archive.
#[derive(Debug)]
pub struct Debian {
    /// All packages, unpacked over one another.
    pub tree: PathBuf,
    /// Their sources, with versions.
    pub sources: BTreeSet<String>,
}

/// Fetches the packages, where they are not there from the last time.
pub fn fetch(place: &Path) -> anyhow::Result<Debian> {
    let work = place.join("debian");
    let list = work.join("sources");
    if !list.exists() {
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        let archive = Archive::open(SUITE, ARCHITECTURE, &work)?;
        let mut names = archive.kernel(KERNEL)?;
        let lists = [lab::programs::PROGRAMS, PROGRAMS, SYSTEMS];
        let packages = lists.into_iter().flatten().map(|(package, _)| *package);
        names.extend(packages.map(str::to_owned));
        names.extend(LIBRARIES.iter().chain(FURTHER).map(|name| (*name).to_owned()));
        names.sort();
        names.dedup();
        archive.unpack(&names)?;
        let sources: Vec<String> = archive.sources(&names)?.into_iter().collect();
        fs::write(&list, sources.join("\n") + "\n")?;
    }
    Ok(Debian {
        tree: work.join("tree"),
        sources: fs::read_to_string(&list)?.lines().map(str::to_owned).collect(),
    })
}

/// A program of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub name: &'static str,
    /// Its folder below /usr.
    pub folder: &'static str,
    /// Whether it is one of busybox's.
    pub is_busybox: bool,
}

/// All of them.
pub fn programs() -> impl Iterator<Item = Program> {
    let of = |folder, list: &'static [(&str, &[&'static str])]| {
        list.iter().flat_map(move |(package, names)| {
            names.iter().map(move |name| Program {
                name,
                folder,
                is_busybox: BY_BUSYBOX.contains(package) && !BUT.contains(name),
            })
        })
    };
    of("bin", lab::programs::PROGRAMS)
        .chain(of("bin", PROGRAMS))
        .chain(of("sbin", SYSTEMS))
}

impl Debian {
    /// A program's file. Before Debian 13, some packages still have theirs in /bin.
    pub fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        // `sh` is a link that the package's script makes.
        let name = if name == "sh" { "dash" } else { name };
        let folders = ["usr/bin", "bin", "usr/sbin", "sbin"];
        let mut files = folders.map(|folder| self.tree.join(folder).join(name)).into_iter();
        let found = files.find(|file| file.exists());
        found.with_context(|| format!("no package of {SUITE} has the program {name}"))
    }

    /// The loader and the libraries that these files need, and those need in turn.
    pub fn libraries(&self, programs: &[PathBuf]) -> anyhow::Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        let mut waiting = programs.to_vec();
        while let Some(file) = waiting.pop() {
            for name in needed(&file)? {
                let library = find(&self.tree, &|other| other == name)?
                    .with_context(|| format!("no package has {name}, for {}", file.display()))?;
                if found.insert(library.clone()) {
                    waiting.push(library);
                }
            }
        }
        Ok(found)
    }
}

/// The names of the libraries that a file names itself, and of its loader.
fn needed(file: &Path) -> anyhow::Result<Vec<String>> {
    let shown = output(Command::new("readelf").args(["-Wdl"]).arg(file).env("LC_ALL", "C"))?;
    // `(NEEDED) Shared library: [libc.so.6]`, and the loader:
    // `[Requesting program interpreter: /lib/ld-linux.so.2]`
    let name = |line: &str| {
        let is_one = line.contains("(NEEDED)") || line.contains("program interpreter");
        let named = line.rsplit(['[', ' ', '/']).next()?.strip_suffix(']')?;
        is_one.then(|| named.to_owned())
    };
    Ok(shown.lines().filter_map(name).collect())
}
