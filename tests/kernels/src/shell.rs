//! How does a person get a shell in a guest, with the checkout in it?

use std::{
    env,
    fs::{self, File},
    io::stdin,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
};

use anyhow::Context;
use kernels::{
    build::script,
    modules::Files,
    tools::{entries, output},
};
use lab::rootfs::UsualUmask;
use rustix::termios::tcgetwinsize;

use crate::{guests::Guest, payload, qemu};

/// The guest that `make vm` boots if you name none.
pub const USUAL: &str = "6.12-v2";

/// The checkout's place in the guest, as the book's transcripts have it.
const CLONE: &str = "home/you/tower";

/// The users: root, whom everybody may become, and the book's ordinary user.
const ACCOUNTS: [(&str, &str); 5] = [
    (
        "passwd",
        "root::0:0:root:/root:/bin/bash\nyou::1000:1000:you:/home/you:/bin/bash\n\
         nobody:x:65534:65534:nobody:/:/bin/sh\n",
    ),
    ("group", "root:x:0:\ntty:x:5:\nyou:x:1000:\nusers:x:100:you\nnogroup:x:65534:\n"),
    ("subuid", "you:100000:65536\n"),
    ("subgid", "you:100000:65536\n"),
    ("hosts", "127.0.0.1 localhost\n127.0.1.1 guest\n"),
];

const PROMPT: &str = "PS1='\\u@\\h:\\w\\$ '\nHISTFILE=\n";

/// Boots the guest on this terminal, and returns when it is off.
///
/// # Errors
///
/// Something cannot be built, or qemu fails.
pub fn enter(
    guest: &Guest,
    files: &Files,
    common: &Path,
    folder: &Path,
    is_emulated: bool,
) -> anyhow::Result<()> {
    let own = folder.join("root");
    if own.exists() {
        fs::remove_dir_all(&own)?;
    }
    fill(&own, &folder.join("common/root/judge"))?;
    let machine = payload::machine(guest, &settings(guest), common, files, folder)?;
    qemu::enter(&machine, is_emulated, folder)
}

/// What guest.sh, shell.sh and login.sh read.
fn settings(guest: &Guest) -> String {
    let size = File::open("/dev/tty").ok().and_then(|terminal| tcgetwinsize(terminal).ok());
    let size = size.or_else(|| tcgetwinsize(stdin()).ok());
    let (rows, columns) = size.map_or((0, 0), |size| (size.ws_row, size.ws_col));
    let terminal = env::var("TERM").unwrap_or_default();
    let is_name =
        |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-+._".contains(c));
    let terminal = if is_name(&terminal) { &terminal } else { "" };
    let usual = payload::settings(guest);
    format!("{usual}THEN=shell\nTERMINAL={terminal}\nROWS={rows}\nCOLUMNS={columns}\n")
}

/// The user's files: the checkout, and where cargo would have built it, the programs.
fn fill(own: &Path, programs: &Path) -> anyhow::Result<()> {
    let _umask = UsualUmask::set();
    let clone = own.join(CLONE);
    for folder in ["etc", "bin", "judge"] {
        fs::create_dir_all(own.join(folder))?;
    }
    for (name, text) in ACCOUNTS {
        fs::write(own.join("etc").join(name), text)?;
    }
    script(&own.join("judge/shell.sh"), include_str!("shell.sh"))?;
    script(&own.join("judge/login.sh"), include_str!("login.sh"))?;
    script(&own.join("bin/cargo"), include_str!("../../transcripts/cargo.sh"))?;
    copy_checkout(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &clone)?;
    for name in [".bashrc", "../../root/.bashrc"] {
        let file = own.join("home/you").join(name);
        fs::create_dir_all(file.parent().context("a file is in a folder")?)?;
        fs::write(file, PROMPT)?;
    }
    let debug = clone.join("target/debug");
    fs::create_dir_all(debug.join("examples"))?;
    for program in entries(programs)? {
        let name = program.file_name().context("a program has a name")?;
        // Which of them is an example does not matter to cargo's stand-in.
        for folder in [&debug, &debug.join("examples")] {
            symlink(Path::new("/judge").join(name), folder.join(name))?;
        }
    }
    Ok(())
}

/// The files that git has, and those that you have added, as they are now.
fn copy_checkout(from: &Path, to: &Path) -> anyhow::Result<()> {
    let words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = output(Command::new("git").args(words).current_dir(from))
        .context("list the checkout's files")?;
    for name in names.split_terminator('\0') {
        let (file, copy) = (from.join(name), to.join(name));
        let Ok(about) = file.symlink_metadata() else {
            continue;
        }; // deleted, but not for git
        fs::create_dir_all(copy.parent().context("a file is in a folder")?)?;
        if about.is_symlink() {
            symlink(fs::read_link(&file)?, &copy)?;
        } else if about.is_file() {
            fs::copy(&file, &copy).with_context(|| format!("copy {}", file.display()))?;
        }
    }
    Ok(())
}
