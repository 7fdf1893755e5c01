//! Chapter 12: root inside is nobody's root outside.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::Command,
};

use anyhow::{Context, ensure};
use nix::errno::Errno;

use crate::{
    Bench, Outcome, User,
    breach::{image, maps},
    checks::{Check, holds},
    layered::{must_be_refused, script},
    named::{container, exec},
    process::{children_of, status},
    seccomp::refuse,
    told,
};

/// What no id of a person or a service is.
const FIRST_OF_NOBODY: u32 = 1 << 20;

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "root inside is nobody outside, and you where you are an ordinary user",
        "where the kernel asks only for uid 0, it means uid 0 of the machine: give root's \
         containers ids that nobody has, and show them the image's files as theirs (idmapped \
         mounts)",
        |bench| {
            let image = image(bench, "image")?.display().to_string();
            for options in [&["--container-layer", "mine"][..], &["--rootfs", &image]] {
                let action = "stat -c %u:%g / /bin/sh /etc; echo mine >/made; stat -c %u:%g /made
                              echo up; cat";
                let mut running = script(bench, options, action).start_waiting()?;
                running.until("up\n")?;
                let said = running.output();
                ensure!(said == "0:0\n0:0\n0:0\n0:0\nup\n", "inside: {}", told(&said));
                let uid = outside(bench, running.command()?)?;
                if options[0] == "--container-layer" {
                    let owner = fs::metadata(bench.folder.join("mine/made"))?.uid();
                    ensure!(owner == uid, "what it has made belongs to {owner}, not {uid}");
                }
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        12,
        "the machine's knobs are not root's inside",
        "a file such as core_pattern asks who you are outside, wherever you find it: this command \
         has root's id inside, and the host's own /proc. On the stage below it may write there",
        |bench| {
            let running = container(bench, "box", &["-q"])?;
            let pid = running.command()?.to_string();
            // It opens the file to write at its end, and writes nothing.
            let action = "id -u; : >>/proc/sys/kernel/core_pattern";
            let ended = exec(bench, &["--target", &pid, "--user"], action).finish()?;
            ensure!(ended.text() == "0\n", "it wrote {}", told(&ended.text()));
            must_be_refused(&ended, "Permission denied", action)?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        12,
        "what is made for root inside belongs to root inside",
        "the process outside that makes folders and files for the container has rights that root \
         inside has not: let it have root inside's ids for files (setfsuid(2))",
        |bench| {
            let image = image(bench, "image")?;
            for name in ["proc", "sys", "dev", "tmp"] {
                fs::remove_dir(image.join(name)).with_context(|| name.to_owned())?;
            }
            let image = image.display().to_string();
            let action = "stat -c %u:%g:%a /tmp /dev /dev/shm && touch /tmp/f /dev/shm/f";
            let ended = script(bench, &["--layer", &image], action).finish()?;
            ended.must_end_with(0)?.must_write("0:0:1777\n0:0:755\n0:0:1777\n")?;
            holds()
        },
    ),
    Check::new(
        12,
        "the log names the ids that root's container has outside",
        "an administrator who finds a process or a file of an id that nobody has must be able to \
         find out whose it is",
        |bench| {
            let running = script(bench, &[], "echo up; cat");
            let mut running = running.start_waiting()?;
            running.until("up\n")?;
            let uid = outside(bench, running.command()?)?;
            let messages = running.release()?.must_end_with(0)?.messages();
            let names = |message: &String| {
                message.contains(&uid.to_string()) && message.contains("outside")
            };
            ensure!(messages.iter().any(names), "the log does not say that {uid} is nobody");
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        12,
        "all 65536 ids inside can own files, and no other",
        "programs of an image use ids up to 65535 (nobody is 65534): map as many",
        |bench| {
            let action = "touch /f; for id in 1 1000 65534 65535; do chown $id:$id /f || exit 1
                          stat -c %u:%g /f; done";
            let ended = script(bench, &["--container-layer", "mine"], action).finish()?;
            ended
                .must_end_with(0)?
                .must_write("1:1\n1000:1000\n65534:65534\n65535:65535\n")?;
            let uid = fs::metadata(bench.folder.join("mine/f"))?.uid();
            ensure!(uid > FIRST_OF_NOBODY, "a file of 65535 inside belongs to {uid}");
            for refused in ["65536:0", "0:65536"] {
                let action = format!("chown {refused} /tmp");
                must_be_refused(
                    &script(bench, &[], &action).finish()?,
                    "Invalid argument",
                    &action,
                )?;
            }
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        12,
        "a set-user-ID file that root inside makes is nobody's outside",
        "a file in a container layer is a file of the host: made by uid 0, with the set-user-ID \
         bit, it makes any user root of the machine. On the stage below it does",
        |bench| gives_nothing(bench, &["--container-layer", "mine"], "mine"),
    )
    .only_as(User::Root),
    Check::new(
        12,
        "a set-user-ID file that root inside makes in a closed --rootfs gives nothing",
        "an idmapped mount shows uid 0 of the disk as root inside, and what root inside makes \
         there is of uid 0 on the disk: say so, and let other users not reach it",
        |bench| {
            let folder = image(bench, "image")?;
            let image = folder.display().to_string();
            let ended = script(bench, &["--rootfs", &image], "true").finish()?.must_end_with(0)?;
            ensure!(
                ended
                    .messages()
                    .iter()
                    .any(|message| message.contains("let no other user reach")),
                "the log does not say that the files belong to root on the disk"
            );
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
            gives_nothing(bench, &["--rootfs", &image], "image")
        },
    )
    .only_as(User::Root),
    Check::new(
        12,
        "--uid-map still says who root inside is",
        "with --uid-map 0:0:65536 you choose root of the machine, and see that you do",
        |bench| {
            for map in maps(bench.user) {
                let options = [map, &["--container-layer", "mine", "--rm"][..]].concat();
                let action = "echo mine >/made; echo up; cat";
                let mut running = script(bench, &options, action).start_waiting()?;
                running.until("up\n")?;
                let uid = status(running.command()?, "Uid")?;
                let own = fs::metadata(bench.folder.join("mine/made"))?.uid();
                ensure!(uid.starts_with(&own.to_string()), "{uid}, and the file is of {own}");
                ensure!(map.is_empty() || own == 0, "with --uid-map 0:0:65536 it is of {own}");
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        12,
        "where no owner can be shown as another, the start is refused, with the way out",
        "an old kernel has no idmapped mounts, and not every file system has them: say so in one \
         line, and do not fall back to root of the machine",
        |bench| {
            for errno in [Errno::ENOSYS, Errno::EINVAL] {
                let no_idmap = || refuse(&[libc::SYS_mount_setattr], errno);
                let refused = script(bench, &["--container-layer", "mine"], "echo ran");
                let ended = refused.with(no_idmap()?).finish()?.must_end_with(125)?;
                ended.must_complain(&["--uid-map 0:0:65536"])?.must_write("")?;
                ensure!(!bench.folder.join("mine").exists(), "the container layer stayed");
                let words = ["--uid-map", "0:0:65536", "--gid-map", "0:0:65536"];
                let ended = script(bench, &words, "echo ran").with(no_idmap()?).finish()?;
                ended.must_end_with(0)?.must_write("ran\n")?;
            }
            holds()
        },
    )
    .only_as(User::Root),
];

/// Root inside makes a set-user-ID file, and an ordinary user outside runs it.
fn gives_nothing(bench: &Bench, options: &[&str], folder: &str) -> anyhow::Result<Outcome> {
    let action = "cp /bin/id /set-user-id && chmod 4755 /set-user-id && /set-user-id -u";
    script(bench, options, action).finish()?.must_end_with(0)?.must_write("0\n")?;
    let file = bench.folder.join(folder).join("set-user-id");
    let data = fs::metadata(&file).context("what root inside has made")?;
    ensure!(data.mode() & 0o7777 == 0o4755, "its mode is {:o}", data.mode());
    let mut command = Command::new(&file);
    User::Ordinary.log_in(&mut command, &bench.folder);
    match command.arg("-u").output() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        other => {
            let uid = String::from_utf8_lossy(&other?.stdout).trim().to_owned();
            ensure!(uid != "0", "an ordinary user has run it, as root of the machine");
            ensure!(!uid.is_empty(), "it has not run");
        }
    }
    holds()
}

/// The one id that the container's process, root inside, has outside; it must not be root's. Its
/// children have the same.
fn outside(bench: &Bench, command: nix::unistd::Pid) -> anyhow::Result<u32> {
    let mut found = Vec::new();
    for pid in [vec![command], children_of(command)?].concat() {
        let ids = status(pid, "Uid")? + "\t" + &status(pid, "Gid")?;
        found.extend(ids.split_whitespace().map(str::parse::<u32>).collect::<Result<Vec<_>, _>>()?);
    }
    match bench.user {
        User::Root => {
            let first = found[0];
            ensure!(first > FIRST_OF_NOBODY, "root inside is {first} outside");
            ensure!(found.iter().all(|id| *id == first), "its ids are {found:?}");
        }
        User::Ordinary => {
            let own = [bench.user.uid(), bench.user.gid()];
            ensure!(found.iter().all(|id| own.contains(id)), "its ids are {found:?}");
        }
    }
    Ok(found[0])
}
