//! Which stages are tried, with which options, and where?

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use judge::{
    Bench, User,
    bench::Run,
    cgroups,
    chapters::{CHAPTERS, Chapter},
    delegation::Delegation,
    layered::{cached, layer, stacked},
    named::entries,
};

/// The name of the command's program.
pub const SHELL: &str = "sh";
/// The command's script, what it writes, and its exit status.
const SCRIPT: &str = "echo done; exit 7";
pub const OUTPUT: &str = "done\n";
pub const STATUS: i32 = 7;

/// The stage with the limits and the pipe, the one with the layers, and the last one.
pub fn stages() -> Vec<&'static Chapter> {
    let last = CHAPTERS.last().expect("there are chapters");
    CHAPTERS
        .iter()
        .filter(|chapter| [8, 9, last.number()].contains(&chapter.number()))
        .collect()
}

/// A stage, its user, and their files.
pub struct Place {
    bench: Bench,
    delegation: Option<Delegation>,
    layers: Vec<PathBuf>,
    groups: BTreeSet<PathBuf>,
}

impl Place {
    /// Makes one in `folder`, in which the binaries are.
    ///
    /// # Errors
    ///
    /// A file cannot be made.
    pub fn new(chapter: &Chapter, user: User, folder: &Path) -> anyhow::Result<Place> {
        let bench = Bench::new(chapter.number(), &folder.join(chapter.name), user, folder)?;
        let layers = match bench.stage {
            ..9 => Vec::new(),
            _ => (1..4)
                .map(|number| layer(&bench, &format!("layer-{number}"), "file", "text"))
                .collect::<anyhow::Result<_>>()?,
        };
        let rootfs = bench.folder.join("rootfs");
        bench.run(bench.other("rootfs"), [&rootfs]).finish()?.must_end_with(0)?;
        Ok(Place {
            delegation: Delegation::to(&bench, &["memory"])?,
            layers,
            groups: cgroups::all()?.into_keys().collect(),
            bench,
        })
    }

    /// Its stage and user.
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// A run of the stage, which makes all that such a run can leave behind.
    ///
    /// # Errors
    ///
    /// The stage makes no image.
    pub fn run(&self) -> anyhow::Result<Run<'_>> {
        self.run_with(Path::new("mine"))
    }

    /// The same, with a container layer at this path if the stage has layers.
    ///
    /// # Errors
    ///
    /// As [`Place::run`].
    pub fn run_with(&self, container_layer: &Path) -> anyhow::Result<Run<'_>> {
        let bench = &self.bench;
        let mut options = self.options();
        if bench.stage < 9 {
            options.extend(["--", SHELL, "-c", SCRIPT]);
            return Ok(self.put(bench.stage(options)));
        }
        let container_layer = container_layer.to_str().context("a path in UTF-8")?;
        options.extend(["--container-layer", container_layer]);
        Ok(self.put(stacked(bench, &options, &self.layers, SCRIPT)?))
    }

    /// The same, in [`Place::rootfs`].
    pub fn run_in_rootfs(&self) -> Run<'_> {
        let rootfs = self.rootfs();
        let words = [&["run", "-i"], &self.options()[..]].concat();
        let words = words.into_iter().map(OsString::from);
        let last = ["--", SHELL, "-c", SCRIPT].map(OsString::from);
        let rootfs = ["--rootfs".into(), rootfs.into_os_string()];
        self.put(self.bench.run(&self.bench.binary, words.chain(rootfs).chain(last)))
    }

    /// A root file system.
    pub fn rootfs(&self) -> PathBuf {
        self.bench.folder.join("rootfs")
    }

    fn options(&self) -> Vec<&'static str> {
        let mut options = vec!["-q"];
        if self.delegation.is_some() {
            options.extend(["-m", "64m"]);
        }
        if self.bench.stage >= 10 {
            options.extend(["--name", "victim"]);
        }
        options
    }

    fn put<'a>(&'a self, run: Run<'a>) -> Run<'a> {
        let run = run.env("XDG_RUNTIME_DIR", self.bench.temporary());
        match &self.delegation {
            Some(delegation) => delegation.put(run),
            None => run,
        }
    }

    /// What lies in the user's folders that a run may leave there.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        let bench = &self.bench;
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect::<Vec<_>>()
        };
        [bench.folder.clone(), bench.temporary(), entries(bench)]
            .iter()
            .flat_map(|folder| names(folder))
            .chain(cached(bench))
            .collect()
    }

    /// The containers' groups that were not there when this was made.
    ///
    /// # Errors
    ///
    /// /proc is not mounted.
    pub fn groups(&self) -> anyhow::Result<BTreeSet<PathBuf>> {
        let is_ours = |(path, owner): &(PathBuf, u32)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            *owner == self.bench.user.uid()
                && name.starts_with("container-")
                && !self.groups.contains(path)
        };
        let all = cgroups::all().context("look for groups")?;
        Ok(all.into_iter().filter(is_ours).map(|(path, _)| path).collect())
    }

    /// Removes the groups that a run has left, after a finding. One with a process in it stays.
    pub fn clear_groups(&self) {
        for group in self.groups().unwrap_or_default().iter().rev() {
            let _ = fs::remove_dir(group);
        }
    }
}
