//! The crates of the answers are built one at a time, since cargo locks the folder in which it
//! builds; each while those before it are judged.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::Context;
use judge::workshop::{Workshop, answers, crates::Files, verdict::Place};

/// What builds all answers, in the workshop's folder.
pub struct Builder {
    workshop: Workshop,
    program: &'static Path,
    one_at_a_time: Mutex<()>,
    count: AtomicU32,
}

impl Builder {
    /// It builds in the workshop's folder; `program` judges.
    pub fn new(workshop: Workshop, program: &'static Path) -> Builder {
        Builder {
            workshop,
            program,
            one_at_a_time: Mutex::default(),
            count: AtomicU32::default(),
        }
    }

    /// As long as this is held, nothing is built.
    pub fn alone(&self) -> MutexGuard<'_, ()> {
        self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds these sources of a chapter's stage, and brings it to a place where it is judged.
    ///
    /// # Errors
    ///
    /// They do not build.
    pub fn build(&self, chapter: &str, files: &Files) -> anyhow::Result<Place> {
        let own = self.taken(chapter, files)?;
        let tools = self.workshop.target.join("debug");
        let place = Place::new(&own.join(chapter), &tools, self.program);
        fs::remove_dir_all(&own).with_context(|| format!("remove {}", own.display()))?;
        place
    }

    /// A folder with the stage, taken to where the next build does not overwrite it.
    fn taken(&self, chapter: &str, files: &Files) -> anyhow::Result<PathBuf> {
        let _alone = self.alone();
        let folder = self.workshop.crate_folder(chapter);
        let stage = answers::build(&self.workshop, chapter, files, &folder)?;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let own = self.workshop.folder.join(format!("built-{number}"));
        fs::create_dir_all(&own).with_context(|| format!("make {}", own.display()))?;
        let taken = own.join(chapter);
        fs::copy(&stage, &taken).with_context(|| format!("copy {}", stage.display()))?;
        Ok(own)
    }
}
