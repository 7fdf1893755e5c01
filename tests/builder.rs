//! The crates of the answers are built while others are judged, in two places: cargo locks the
//! folder in which it builds. Each chapter has its crate in one of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, ensure};
use judge::{
    chapters::Chapter,
    workshop::{Workshop, answers, crates::Files, verdict::Place},
};

/// What builds all answers.
pub struct Builder {
    main: Workshop,
    program: &'static Path,
    places: Vec<Mutex<BuildPlace>>,
    count: AtomicU32,
}

/// Where one crate at a time is built.
struct BuildPlace {
    workshop: Workshop,
    is_ready: bool,
}

impl Builder {
    /// It builds in so many places: in the workshop's folder with the repository's target folder,
    /// and with copies of that; `program` judges.
    pub fn new(workshop: Workshop, program: &'static Path, places: usize) -> Builder {
        let place = |number| {
            let is_main = number == 0;
            let own = |name: &str| workshop.folder.join(format!("{name}-{number}"));
            let other = || Workshop {
                folder: own("crates"),
                target: own("target"),
                ..workshop.clone()
            };
            Mutex::new(BuildPlace {
                workshop: if is_main { workshop.clone() } else { other() },
                is_ready: is_main,
            })
        };
        Builder {
            places: (0..places.max(1)).map(place).collect(),
            main: workshop,
            program,
            count: AtomicU32::default(),
        }
    }

    /// In which of the places a chapter's crate is built.
    pub fn place_of(&self, chapter: &Chapter) -> usize {
        usize::from(chapter.number()) % self.places.len()
    }

    /// As long as this is held, nothing is built where a learner's crates are built.
    pub fn alone(&self) -> impl Drop {
        lock(&self.places[0])
    }

    /// Builds these sources of a chapter's stage, and brings it to a place where it is judged.
    ///
    /// # Errors
    ///
    /// They do not build.
    pub fn build(&self, chapter: &Chapter, files: &Files) -> anyhow::Result<Place> {
        let own = self.taken(chapter, files)?;
        let tools = self.main.target.join("debug");
        let place = Place::new(&own.join(chapter.name), &tools, self.program);
        fs::remove_dir_all(&own).with_context(|| format!("remove {}", own.display()))?;
        place
    }

    /// A folder with the stage, taken to where the next build does not overwrite it.
    fn taken(&self, chapter: &Chapter, files: &Files) -> anyhow::Result<PathBuf> {
        let mut place = lock(&self.places[self.place_of(chapter)]);
        if !place.is_ready {
            let _alone = self.alone(); // what is copied stays as it is meanwhile
            copy_what_is_built(&self.main.target, &place.workshop.target)?;
            place.is_ready = true;
        }
        let folder = place.workshop.crate_folder(chapter.name);
        let stage = answers::build(&place.workshop, chapter.name, files, &folder)?;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let own = self.main.folder.join(format!("built-{number}"));
        fs::create_dir_all(&own).with_context(|| format!("make {}", own.display()))?;
        let taken = own.join(chapter.name);
        fs::copy(&stage, &taken).with_context(|| format!("copy {}", stage.display()))?;
        Ok(own)
    }
}

fn lock(place: &Mutex<BuildPlace>) -> MutexGuard<'_, BuildPlace> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies what cargo has made of the crates on which a chapter's crate depends, and how it knows
/// that they are fresh; what is missing it would make again.
fn copy_what_is_built(from: &Path, to: &Path) -> anyhow::Result<()> {
    let (from, to) = (from.join("debug"), to.join("debug"));
    let deps = to.join("deps");
    fs::create_dir_all(&deps).with_context(|| format!("make {}", deps.display()))?;
    let mut libraries = Vec::new();
    for entry in fs::read_dir(from.join("deps")).context("read what cargo has built")? {
        let path = entry?.path();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if ["rlib", "rmeta", "so", "d"].contains(&kind) {
            libraries.push(path);
        }
    }
    copy(&libraries, &deps)?;
    copy(&[from.join(".fingerprint"), from.join("build")], &to)
}

/// cp(1) keeps the times, by which cargo goes.
fn copy(files: &[PathBuf], to: &Path) -> anyhow::Result<()> {
    let status = Command::new("cp").arg("-a").args(files).arg(to).status().context("run cp")?;
    ensure!(status.success(), "cp -a to {}: {status}", to.display());
    Ok(())
}
