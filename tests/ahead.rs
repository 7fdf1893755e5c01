//! The crates of the answers are built one after the other, each while the one before it is judged.

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use anyhow::{Context, anyhow};
use judge::workshop::{Workshop, answers, crates::Files};

/// An answer that is to be built.
#[derive(Clone)]
pub struct Job {
    /// The folder of its chapter.
    pub chapter: &'static str,
    /// Its sources.
    pub files: Files,
}

/// All answers, in the order in which they are judged.
pub struct Ahead {
    workshop: Workshop,
    jobs: Mutex<Vec<Job>>,
    next: Mutex<Option<(usize, JoinHandle<anyhow::Result<PathBuf>>)>>,
}

impl Ahead {
    /// None yet; they are built in the workshop's folder.
    pub fn new(workshop: Workshop) -> Ahead {
        Ahead {
            workshop,
            jobs: Mutex::default(),
            next: Mutex::default(),
        }
    }

    /// Adds one, and returns its number.
    pub fn add(&self, job: Job) -> usize {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push(job);
        jobs.len() - 1
    }

    /// The folder of the programs that checks use.
    pub fn tools(&self) -> PathBuf {
        self.workshop.target.join("debug")
    }

    /// The stage that was built from this one. The next is begun meanwhile.
    ///
    /// # Errors
    ///
    /// It does not build.
    pub fn built(&self, number: usize) -> anyhow::Result<PathBuf> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = next.take();
        let outcome = begun.map(|(begun, thread)| (begun, thread.join()));
        let built = match outcome {
            Some((begun, Ok(built))) if begun == number => built?,
            Some((begun, Err(_))) if begun == number => Err(anyhow!("the build panicked"))?,
            // Another was asked for than the next: some were left out.
            _ => build(&self.workshop, &self.job(number).context("no such answer")?, number)?,
        };
        if let Some(job) = self.job(number + 1) {
            let workshop = self.workshop.clone();
            let thread = thread::spawn(move || build(&workshop, &job, number + 1));
            *next = Some((number + 1, thread));
        }
        Ok(built)
    }

    fn job(&self, number: usize) -> Option<Job> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // A build that nobody asks for any more must not write into a folder that is removed.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, thread)) = next.take() {
            let _unwanted = thread.join();
        }
    }
}

/// Builds it, and takes the stage to where the next build does not overwrite it.
fn build(workshop: &Workshop, job: &Job, number: usize) -> anyhow::Result<PathBuf> {
    let folder = workshop.crate_folder(job.chapter);
    let stage = answers::build(workshop, job.chapter, &job.files, &folder)?;
    let own = workshop.folder.join(format!("built-{}", number % 2));
    match fs::remove_dir_all(&own) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)?,
        _ => fs::create_dir_all(&own)?,
    }
    let taken = own.join(job.chapter);
    fs::copy(&stage, &taken).with_context(|| format!("copy {}", stage.display()))?;
    Ok(taken)
}
