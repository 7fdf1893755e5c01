//! Chapter 12: a room that cannot be built as it must be is refused.

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use nix::{errno::Errno, mount::MsFlags, sched::CloneFlags};

use crate::{
    Bench, Outcome,
    bench::Run,
    breach::image,
    checks::{Check, holds},
    layered::script,
    seccomp::{refuse_mount_like, refuse_namespace},
    told,
};

/// Folders in /proc that some machines have, and that a container must not see.
const FOLDERS: [&str; 3] = ["/proc/acpi", "/proc/asound", "/proc/scsi"];

/// With only MS_RDONLY of these, mount(2) mounts a new file system.
const NEW_AND_READ_ONLY: MsFlags =
    MsFlags::MS_BIND.union(MsFlags::MS_REMOUNT).union(MsFlags::MS_RDONLY);

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        12,
        "/sys shows the container's network interfaces",
        "sysfs shows the network namespace of the process that mounts it: the helper must join the \
         container's first",
        |bench| {
            // The machine's own loopback interface has received something, or it is down.
            let received = UdpSocket::bind("127.0.0.1:0")
                .and_then(|socket| socket.send_to(b"received", socket.local_addr()?));
            let is_down = received.is_err();
            let look =
                "cd /sys/class/net/lo && cat flags statistics/rx_bytes && grep lo: /proc/net/dev";
            let text = script(bench, &["-q"], look).finish()?.must_end_with(0)?.text();
            let words: Vec<&str> = text.split_whitespace().collect();
            let [flags, in_sys, _, in_proc, ..] = words[..] else {
                anyhow::bail!("inside: {}", told(&text))
            };
            ensure!(
                flags == "0x9" && in_sys == in_proc,
                "of the container's lo, /sys has the flags {flags} and {in_sys} bytes, and /proc \
                 {in_proc} bytes (0x9 is up; the machine's is down: {is_down})"
            );
            holds()
        },
    ),
    Check::new(
        12,
        "a room that cannot be furnished is refused",
        "a container without its /proc, or with a /sys of the host's, is no container: return the \
         helper's error, and the start ends with it",
        |bench| {
            let image = image(bench, "image")?.display().to_string();
            let options = ["-q", "--rootfs", &image];
            let ended = script(bench, &options, "echo ran")
                .with(refuse_namespace(CloneFlags::CLONE_NEWNET, Errno::EPERM)?)
                .finish()?
                .must_end_with(125);
            let ended = ended.context("where the kernel refuses setns to a network namespace")?;
            ended.must_write("")?.must_complain(&["not permitted"])?;
            let ended = script(bench, &options, "echo ran")
                .with(refuse_mount_like(MsFlags::MS_RDONLY, NEW_AND_READ_ONLY, Errno::EPERM)?)
                .finish()?
                .must_end_with(125);
            let ended = ended.context("where the kernel refuses to mount a sysfs")?;
            ended.must_write("")?.must_complain(&["not permitted"])?;
            holds()
        },
    ),
    Check::new(
        12,
        "a file that cannot be covered ends the start",
        "what cannot be hidden would be seen: return the error of each mount, and cover with \
         nothing but the null device that you have looked at",
        |bench| {
            let image = bare_image(bench)?;
            let path = image.display().to_string();
            let options = ["-q", "--rootfs", &path];
            let run = || script(bench, &options, "echo ran");
            run().finish()?.must_end_with(0)?.must_write("ran\n")?;
            let of_devices = MsFlags::MS_REMOUNT.union(MsFlags::MS_NODEV);
            let no_cover = refuse_mount_like(MsFlags::MS_REMOUNT, of_devices, Errno::EPERM)?;
            must_be_refused(run().with(no_cover), &["/", "not permitted"])
                .context("where a file in /proc cannot be covered")?;
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            let other = bench.file("null", "of another\n", 0o644)?.display().to_string();
            let covers = ["unshare", "-rm", "sh", "-c", COVERS_NULL, &other];
            must_be_refused(run().under(&covers), &["/dev/null", "not the device"])
                .context("where the machine's /dev/null is another file")?;
            holds()
        },
    ),
    Check::new(
        12,
        "a folder that cannot be covered ends the start",
        "what cannot be hidden would be seen: return the error of each mount, also of a tmpfs over \
         a folder",
        |bench| {
            if !FOLDERS.iter().any(|folder| Path::new(folder).is_dir()) {
                return Ok(Outcome::Skipped("there is no folder in /proc to cover".into()));
            }
            let path = bare_image(bench)?.display().to_string();
            let options = ["-q", "--rootfs", &path];
            let run = || script(bench, &options, "echo ran");
            run().finish()?.must_end_with(0)?.must_write("ran\n")?;
            let no_cover = refuse_mount_like(MsFlags::MS_RDONLY, NEW_AND_READ_ONLY, Errno::EPERM)?;
            must_be_refused(run().with(no_cover), &["/", "not permitted"])?;
            holds()
        },
    ),
];

/// An image in which nothing but the covers is mounted with their flags: without /sys and /dev.
fn bare_image(bench: &Bench) -> anyhow::Result<PathBuf> {
    let image = image(bench, "image")?;
    for name in ["sys", "dev"] {
        fs::remove_dir(image.join(name)).with_context(|| name.to_owned())?;
    }
    Ok(image)
}

/// It must end with one line, and run nothing.
fn must_be_refused(run: Run, words: &[&str]) -> anyhow::Result<()> {
    run.finish()?.must_end_with(125)?.must_write("")?.must_complain(words).map(drop)
}

/// In a mount namespace of its own, puts a file in the place of the null device, and goes on.
const COVERS_NULL: &str = "mount --bind \"$0\" /dev/null && exec \"$@\"";
