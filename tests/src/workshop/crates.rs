//! What is in a learner's crate, and how is it built?

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail, ensure};

use super::{
    Workshop,
    exercise::{self, Exercise, Hole},
    given::Given,
    manifest, source,
};

/// The files of a crate: the path inside it, and the text.
pub type Files = BTreeMap<String, String>;

/// The lines of a chapter's file that name its property tests.
const PROPERTIES: &str = "#[cfg(test)]\nmod properties;\n";

impl Workshop {
    /// The chapter's source as it is compiled for the book, ANCHORs and all.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn chapter_source(&self, chapter: &str) -> anyhow::Result<Files> {
        let mut files = read_files(&self.root.join("chapters").join(chapter), "src")?;
        // They need proptest, and a learner's crate is built without a network.
        files.retain(|name, _| !name.ends_with("/properties.rs"));
        files.values_mut().for_each(|text| *text = text.replace(PROPERTIES, ""));
        Ok(files)
    }

    /// The crate that an exercise hands out: the chapter's, with its pieces taken out, and with the
    /// pieces of the chapter's other exercises given (see [`super::given`]).
    ///
    /// # Errors
    ///
    /// The chapter has no such ANCHOR, or has it twice.
    pub fn handed_out(&self, exercise: &Exercise) -> anyhow::Result<Files> {
        self.with_pieces_given(exercise, source::with_hole)
    }

    /// The same with `own` in place of the exercise's own pieces.
    ///
    /// # Errors
    ///
    /// As [`Workshop::handed_out`].
    pub fn with_pieces_given(
        &self,
        exercise: &Exercise,
        own: impl Fn(&str, &Hole) -> Option<String>,
    ) -> anyhow::Result<Files> {
        let folder = self.root.join("chapters").join(exercise.chapter);
        let mut files = self.chapter_source(exercise.chapter)?;
        for other in exercise::of_chapter(exercise.chapter, &folder)? {
            for hole in &other.holes {
                let file = anchored(&files, hole).context(exercise.chapter)?;
                let text = files[&file].clone();
                let changed = if other.slug == exercise.slug {
                    own(&text, hole)
                } else {
                    let given = Given::of(&text, hole, other.number);
                    given.map(|given| {
                        files.extend(given.file);
                        given.text
                    })
                };
                files.insert(file, changed.with_context(|| hole.anchor.clone())?);
            }
        }
        Ok(stripped(files))
    }

    /// A whole crate in `folder`: these sources, a Cargo.toml that stands alone, the
    /// repository's Cargo.lock.
    ///
    /// # Errors
    ///
    /// It cannot be written, or the chapter's Cargo.toml is not understood.
    pub fn write_crate(&self, chapter: &str, sources: &Files, folder: &Path) -> anyhow::Result<()> {
        let read = |path: &Path| {
            fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
        };
        let (own, shared) =
            (self.root.join("chapters").join(chapter), self.root.join("Cargo.toml"));
        let chapters = self.way_from(folder, "chapters");
        let manifest = manifest::alone(&read(&own.join("Cargo.toml"))?, &read(&shared)?, &chapters)
            .with_context(|| format!("Cargo.toml of {chapter}"))?;
        let mut files = sources.clone();
        files.insert("Cargo.toml".into(), manifest);
        files.insert("Cargo.lock".into(), read(&self.root.join("Cargo.lock"))?);
        write_files(&files, folder)?;
        self.write_config()
    }

    /// Where cargo builds, also when a learner types `cargo run`: what is common to the
    /// book's crates and the learner's is built once (`build-dir`, cargo 1.91 and newer).
    fn write_config(&self) -> anyhow::Result<()> {
        let (target, shared) = (self.target.join("workshop"), &self.target);
        let text = format!("[build]\ntarget-dir = {target:?}\nbuild-dir = {shared:?}\n");
        write_files(&Files::from([(".cargo/config.toml".to_owned(), text)]), &self.folder)
    }

    /// Builds a learner's crate, and returns the stage's binary and what the compiler warned of.
    ///
    /// # Errors
    ///
    /// cargo could not be run. That it does not compile is the inner `Err`, in the compiler's
    /// words.
    pub fn build(
        &self,
        chapter: &str,
        folder: &Path,
    ) -> anyhow::Result<Result<(PathBuf, String), String>> {
        let target = self.target.join("workshop");
        let said = self.cargo(folder, &["build", "--target-dir", &target.display().to_string()])?;
        Ok(said.map(|warnings| (target.join("debug").join(chapter), warnings)))
    }

    /// Builds the other programs that checks use, and returns their folder.
    ///
    /// # Errors
    ///
    /// They do not build.
    pub fn build_tools(&self) -> anyhow::Result<PathBuf> {
        let target = self.target.display().to_string();
        let words = [
            "build",
            "-p",
            "judge",
            "-p",
            "lab",
            "-p",
            "doctor",
            "--bin",
            "inside",
            "--bin",
            "doctor",
            "--bin",
            "rootfs",
            "--target-dir",
            &target,
        ];
        match self.cargo(&self.root, &words)? {
            Ok(_) => Ok(self.target.join("debug")),
            Err(said) => bail!("the workshop's own tools do not build: {said}"),
        }
    }

    /// What cargo said, as `Ok` if it succeeded. Never with a network: what a learner's crate
    /// needs is what the repository needs, and was fetched for it.
    fn cargo(&self, folder: &Path, words: &[&str]) -> anyhow::Result<Result<String, String>> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(words).args(["--quiet", "--offline"]).current_dir(folder);
        if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            command.args(["--color", "always"]);
        }
        let output = command.output().context("run cargo")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(if output.status.success() {
            Ok(said)
        } else {
            Err(said)
        })
    }
}

/// The one file that has the hole's anchor.
///
/// # Errors
///
/// None has it, or more than one.
pub fn anchored(files: &Files, hole: &Hole) -> anyhow::Result<String> {
    let has = |(_, text): &(&String, &String)| source::has_anchor(text, &hole.anchor);
    let found: Vec<&String> = files.iter().filter(has).map(|(file, _)| file).collect();
    let [file] = found[..] else {
        bail!("{} files have the anchor {}", found.len(), hole.anchor)
    };
    Ok(file.clone())
}

/// Without the ANCHOR lines.
pub fn stripped(files: Files) -> Files {
    files
        .into_iter()
        .map(|(file, text)| (file, source::without_anchors(&text)))
        .collect()
}

/// The files under `folder/inside`, by their path from `folder` on.
///
/// # Errors
///
/// One of them cannot be read as text.
pub fn read_files(folder: &Path, inside: &str) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let place = folder.join(inside);
    for entry in fs::read_dir(&place).with_context(|| format!("read {}", place.display()))? {
        let entry = entry?;
        let name = format!("{inside}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            files.extend(read_files(folder, &name)?);
        } else {
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("read {}", entry.path().display()))?;
            files.insert(name, text);
        }
    }
    Ok(files)
}

/// Writes the files into `folder`, and leaves those alone that are so already: cargo would
/// build them again.
///
/// # Errors
///
/// The folder is on a read-only file system, or another user's.
pub fn write_files(files: &Files, folder: &Path) -> anyhow::Result<()> {
    let explain = |error: std::io::Error, path: &Path| {
        let way_out = match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                ": the workshop writes into the checkout; copy it to a folder of yours and go on \
                 there"
            }
            _ => "",
        };
        anyhow::anyhow!("write {}: {error}{way_out}", path.display())
    };
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|there| there == *text) {
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| explain(error, parent))?;
        fs::write(&path, text).map_err(|error| explain(error, &path))?;
    }
    Ok(())
}

/// The learner's sources.
///
/// # Errors
///
/// A file that the chapter has is missing.
pub fn learners(folder: &Path, chapter: &Files) -> anyhow::Result<Files> {
    let files = read_files(folder, "src")?;
    for name in chapter.keys() {
        ensure!(
            files.contains_key(name),
            "{} is not there: give it that name again, or begin afresh with `make reset`",
            folder.join(name).display()
        );
    }
    Ok(files)
}
