//! Which machine of a room can do what? That is in the files that `doctor --json` wrote on each.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, ensure};

use judge::{
    chapters::CHAPTERS,
    diagnosis::{Diagnosis, Verdict, answers, field},
    records::json,
};

/// The form of the doctor's object that this reads.
const VERSION: f64 = 1.0;

/// A participant's machine, as the doctor found it.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The name of its file, without the ending.
    pub name: String,
    /// The kernel's release.
    pub kernel: String,
    /// The processor.
    pub arch: String,
    /// Who ran the doctor.
    pub uid: u32,
    /// The versions of cgroups that are mounted.
    pub cgroup: String,
    /// A verdict for each chapter of the book.
    pub diagnosis: Diagnosis,
    /// What the doctor says of the place: a container, a WSL, an Ubuntu that restricts.
    pub advice: Option<String>,
}

impl Machine {
    /// Whether a learner cannot do one of the chapters there.
    pub fn is_blocked(&self) -> bool {
        self.diagnosis.values().any(|answer| answer.verdict == Verdict::Blocked)
    }
}

/// What a folder of such files has.
#[derive(Default)]
pub struct Room {
    /// The machines, by name.
    pub machines: Vec<Machine>,
    /// The files that tell nothing about a machine, each with the reason.
    pub unread: Vec<(String, anyhow::Error)>,
}

/// The machines of the files `*.json` in this folder.
///
/// # Errors
///
/// The folder cannot be read, or has no such file.
pub fn read(folder: &Path) -> anyhow::Result<Room> {
    let what = || format!("read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(what)? {
        files.push(entry.with_context(what)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    ensure!(
        !files.is_empty(),
        "{} has no file *.json: each participant's is `cargo run --quiet --bin doctor -- --json`",
        folder.display()
    );
    let mut room = Room::default();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read(&file).map_err(anyhow::Error::from);
        let text = text.and_then(|bytes| String::from_utf8(bytes).context("it is no text"));
        match text.and_then(|text| parse(&name, &text)) {
            Ok(machine) => room.machines.push(machine),
            Err(error) => room.unread.push((format!("{name}.json"), error)),
        }
    }
    Ok(room)
}

/// The machine of this name, of whose doctor this is the object.
///
/// # Errors
///
/// It is none, or another version's, or has not the chapters of this book.
pub fn parse(name: &str, text: &str) -> anyhow::Result<Machine> {
    ensure!(!text.trim().is_empty(), "it is empty");
    let object = json(text)?;
    let version = *field::<f64>(&object, "version")?;
    ensure!(
        version == VERSION,
        "it has the version {version}, and this doctor reads {VERSION}"
    );
    let text_of = |key| field::<String>(&object, key).cloned();
    let advice = match field::<()>(&object, "advice") {
        Ok(()) => None, // null
        Err(_) => Some(text_of("advice")?),
    };
    let uid = *field::<f64>(&object, "uid")?;
    let is_id = uid.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&uid);
    ensure!(is_id, "its uid is {uid}");
    let diagnosis = answers(text)?;
    let found: BTreeSet<&str> = diagnosis.keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = CHAPTERS.iter().map(|chapter| chapter.name).collect();
    ensure!(
        found == expected,
        "it has other chapters than this book: run the doctor of this one"
    );
    Ok(Machine {
        name: name.to_owned(),
        kernel: text_of("kernel")?,
        arch: text_of("arch")?,
        uid: uid as u32,
        cgroup: text_of("cgroup")?,
        diagnosis,
        advice,
    })
}

#[cfg(test)]
mod properties;
