//! What stands ready for every reader: the programs that `cargo run` runs, and the repository.

use std::{
    env, fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use judge::chapters::CHAPTERS;

/// In place of cargo: runs what is built already, as `cargo run` would.
const CARGO: &str = include_str!("cargo.sh");

/// The programs that are no stages.
const FURTHER: [&str; 8] = [
    "rootfs",
    "doctor",
    "examples/reexec_usage",
    "examples/show",
    "examples/named_hierarchy",
    "examples/before_main",
    "examples/call",
    "examples/confined",
];

/// A folder with all that.
pub struct Place {
    pub folder: PathBuf,
}

impl Place {
    /// Makes it.
    pub fn make(folder: &Path, workspace: &Path) -> anyhow::Result<Place> {
        let place = Place::of_another(folder);
        for folder in ["stand-in", "programs/examples"] {
            fs::create_dir_all(place.folder.join(folder))?;
        }
        place.copy_programs()?;
        let cargo = place.folder.join("stand-in/cargo");
        fs::write(&cargo, CARGO)?;
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755))?;
        place.copy_repository(workspace)?;
        Ok(place)
    }

    /// The one that another process has made.
    pub fn of_another(folder: &Path) -> Place {
        Place {
            folder: folder.to_owned(),
        }
    }

    /// From cargo's folder for them, beside the folder that this test is in.
    fn copy_programs(&self) -> anyhow::Result<()> {
        let own = env::current_exe().context("where is this test's file?")?;
        let built = own.parent().and_then(Path::parent);
        let built = built.context("this test is not in target/PROFILE/deps")?;
        for program in CHAPTERS.iter().map(|chapter| chapter.name).chain(FURTHER) {
            let file = built.join(program);
            ensure!(
                file.exists(),
                "{} is not built: `make test` or `make transcripts` builds it",
                file.display()
            );
            fs::copy(&file, self.programs().join(program))
                .with_context(|| format!("copy {}", file.display()))?;
        }
        Ok(())
    }

    /// A repository with what git keeps of the workspace, as it is now. None where there is no
    /// git, or no repository: a reader can have an archive of it.
    fn copy_repository(&self, workspace: &Path) -> anyhow::Result<()> {
        // Root may judge a repository that belongs to another user.
        let list = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "-z"])
            .current_dir(workspace)
            .output();
        let list = match list {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            list => list.context("run git")?,
        };
        let names = String::from_utf8(list.stdout).context("git's list of files")?;
        if !list.status.success() || names.is_empty() {
            return Ok(());
        }
        let copy = self.folder.join("repository");
        // One that is deleted and not committed yet is in the list too.
        let there = names
            .split('\0')
            .filter(|name| !name.is_empty() && workspace.join(name).exists());
        for name in there {
            let to = copy.join(name);
            fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
            fs::copy(workspace.join(name), &to).with_context(|| format!("copy {name}"))?;
        }
        git(&copy, &["init", "--quiet"])?;
        git(&copy, &["add", "--all", "--force"])?;
        let author = ["-c", "user.name=judge", "-c", "user.email=judge@localhost"];
        git(&copy, &[&author[..], &["commit", "--quiet", "--message=as it is"]].concat())?;
        // In one file: a reader's clone is made often.
        git(&copy, &["gc", "--quiet"])
    }

    pub fn programs(&self) -> PathBuf {
        self.folder.join("programs")
    }

    /// A copy of the repository, where there is one, for this user.
    pub fn clone_repository(&self, to: &Path, uid: u32, gid: u32) -> anyhow::Result<()> {
        let from = self.folder.join("repository");
        if from.exists() {
            run(Command::new("cp").arg("-a").arg(from.join(".")).arg(to))?;
        }
        run(Command::new("chown").args(["-R", &format!("{uid}:{gid}")]).arg(to))
    }
}

fn git(repository: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("git").args(arguments).current_dir(repository))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("run {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
