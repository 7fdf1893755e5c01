//! Chapter 4: another root.

use std::{ffi::OsString, fs, io, path::Path};

use anyhow::ensure;
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
};

use crate::{
    User,
    bench::Bench,
    checks::{Check, holds},
    seccomp::{kill_at_clone, refuse, refuse_mount},
    terminal::Terminal,
    told::{must_list, told},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        4,
        "--rootfs is the root, and nothing of the old one is left",
        "call chdir(2) to the new root before pivot_root(\".\", \".\"), or it fails with EBUSY. \
         After pivot_root(2) the old root is still mounted: detach it with umount2(2) and \
         MNT_DETACH. With two dots the old root needs no folder, and the image stays as it is",
        |bench| {
            let path = new_rootfs(bench, "root")?;
            fs::remove_dir(path.join("mnt"))?; // an image need not have one
            let before = names(&path)?;
            let script =
                "cat /etc/mark; pwd; ls /; echo; cat /proc/self/mountinfo; echo /proc/[0-9]*";
            let words = [
                "--rootfs".as_ref(),
                path.as_os_str(),
                "--".as_ref(),
                "sh".as_ref(),
                "-c".as_ref(),
                script.as_ref(),
            ];
            let ended = bench.stage(words).finish()?.must_end_with(0)?;
            let text = ended.text();
            let (files, mounts) = text.split_once("\n\n").unwrap_or((&text, ""));
            ensure!(
                files.starts_with("this root\n/\n"),
                "the command sees {files}",
                files = told(&files)
            );
            let points: Vec<&str> =
                mounts.lines().filter_map(|line| line.split(' ').nth(4)).collect();
            if bench.stage < 12 {
                must_list("inside, the mount points are", &points, &["/", "/proc"])?;
            } else {
                let places = ["/proc", "/sys", "/dev"];
                let is_made = |point: &&&str| places.iter().any(|place| point.starts_with(place));
                let others: Vec<&str> = points.iter().filter(|it| !is_made(it)).copied().collect();
                must_list("inside, the other mount points are", &others, &["/"])?;
            }
            let processes = mounts.lines().last().unwrap_or_default();
            let processes: Vec<&str> = processes.split(' ').collect();
            must_list("in /proc there are", &processes, &["/proc/1"])?;
            ensure!(names(&path)? == before, "in the image there are now {}", told(&names(&path)?));
            holds()
        },
    ),
    Check::new(
        4,
        "--rootfs may be relative, and on another mount",
        "pivot_root(2) needs a mount point: bind the folder on itself first",
        |bench| {
            new_rootfs(bench, "root")?;
            bench
                .stage(["--rootfs", "root", "cat", "/etc/mark"])
                .finish()?
                .must_end_with(0)?
                .must_write("this root\n")?;
            bench
                .stage(["--rootfs", "./tmp/../root/.", "cat", "/etc/mark"])
                .finish()?
                .must_end_with(0)?;
            if bench.user == User::Root {
                let place = bench.folder("mounted")?;
                mount(Some("none"), &place, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))?;
                // A tmpfs shows no owner as another before Linux 6.3.
                let own: &[&str] = match bench.stage {
                    12.. => &["--uid-map", "0:0:65536", "--gid-map", "0:0:65536"],
                    _ => &[],
                };
                let with = |rootfs| [own, &["--rootfs", rootfs, "cat", "/etc/mark"]].concat();
                let outcome = new_rootfs(bench, "mounted/root").and_then(|_| {
                    bench.stage(with("mounted/root")).finish()?.must_end_with(0)?;
                    // A mount point itself.
                    let bound = bench.folder("bound")?;
                    let none: Option<&str> = None;
                    let from = place.join("root");
                    mount(Some(&from), &bound, none, MsFlags::MS_BIND, none)?;
                    let run = bench.stage(with("bound")).finish();
                    umount2(&bound, MntFlags::MNT_DETACH)?;
                    run?.must_end_with(0)?.must_write(
                        "this root
",
                    )
                });
                umount2(&place, MntFlags::MNT_DETACH)?;
                outcome?;
            }
            holds()
        },
    ),
    Check::new(
        4,
        "a process that joins the mount namespace has that root, too",
        "chroot(2) changes what / means to one process, and leaves the old root mounted: use \
         pivot_root(2), which changes the root of the mount namespace",
        |bench| {
            new_rootfs(bench, "root")?;
            let words = ["--rootfs", "root", "--", "sh", "-c", "echo ready; read wait || exit 0"];
            let mut running = bench.stage(words).start_waiting()?;
            running.until("ready")?;
            let child = running.command()?.to_string();
            let mut words = vec!["--target", &child, "--mount"];
            if bench.user == User::Ordinary {
                words.extend(["--user", "--preserve-credentials"]);
            }
            words.extend(["cat", "/etc/mark"]);
            let joined = bench.run("nsenter", words).finish()?;
            running.release()?.must_end_with(0)?;
            ensure!(
                joined.status() == 0 && joined.text() == "this root\n",
                "for `nsenter --mount`, /etc/mark has {}, not \"this root\"; it said: {}",
                told(&joined.text()),
                joined.errors.trim()
            );
            holds()
        },
    ),
    Check::new(
        4,
        "a pivot_root that fails stops the stage",
        "return the errors of pivot_root(2) and umount2(2): if you ignore one, the command runs \
         among the host's files, or with them still mounted",
        |bench| {
            new_rootfs(bench, "root")?;
            for (call, name) in [(libc::SYS_pivot_root, "pivot_root"), (libc::SYS_umount2, "")] {
                bench
                    .stage(["--rootfs", "root", "--", "echo", "ran"])
                    .with(refuse(&[call], Errno::EPERM)?)
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&[name])?
                    .must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        4,
        "a mount that fails stops the stage",
        "return the error of each mount(2): if you ignore it, the command runs with the host's \
         mounts",
        |bench| {
            for with in [MsFlags::MS_PRIVATE, MsFlags::MS_NOEXEC] {
                bench
                    .stage(["--", "echo", "ran"])
                    .with(refuse_mount(with, Errno::EPERM)?)
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&[])?
                    .must_write("")?;
            }
            holds()
        },
    )
    .until(9, "from there on there are more mounts"),
    Check::new(
        4,
        "a --rootfs that cannot be one gets a clear error",
        "return the error of each step: if you ignore a failed pivot_root(2), the stage mounts \
         proc into the host's tree. Look at the folder before you clone",
        |bench| {
            bench.file("a-file", "", 0o644)?;
            bench.folder("empty")?;
            let wrong: [(&str, &[&str]); 3] = [
                ("no-such-folder", &["No such file", "`make rootfs`"]),
                ("a-file", &["not a folder"]),
                ("empty", &["no folder `proc`"]),
            ];
            for (rootfs, reason) in wrong {
                let run = bench.stage(["--rootfs", rootfs, "--", "echo", "ran"]);
                let ended = run.with(kill_at_clone()?).finish()?.must_end_with(125)?;
                ended.must_complain(&[&[rootfs], reason].concat())?.must_write("")?;
            }
            bench
                .stage(["--rootfs", "/", "--", "sh", "-c", "echo /proc/[0-9]*"])
                .finish()?
                .must_end_with(0)?
                .must_write("/proc/1\n")?;
            ensure!(Path::new("/proc/self/status").exists(), "the host's /proc is gone");
            holds()
        },
    ),
    Check::new(
        4,
        "a shell in a folder of yours says whose the files are",
        "a --rootfs is no image: what is removed in there is gone. Look which file system the root \
         is on, and say no more than that",
        |bench| {
            new_rootfs(bench, "root")?;
            let mut terminal = Terminal::open(bench, &["--rootfs", "root"])?;
            let shown = terminal.until("Leave: exit, Ctrl-D\r\n")?;
            let says = "The files are another folder's of your machine: what rm removes is gone.";
            ensure!(shown.contains(says), "it says {}", told(&shown));
            terminal.write("rm /etc/mark; exit 7\n")?;
            ensure!(terminal.end()? == 7, "the shell's status is lost");
            ensure!(!bench.folder.join("root/etc/mark").exists(), "it is still there");
            holds()
        },
    ),
];

/// What is in a folder.
fn names(folder: &Path) -> anyhow::Result<Vec<OsString>> {
    let entries = fs::read_dir(folder)?;
    let mut names: Vec<_> =
        entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

/// A root file system that the user owns, as `make rootfs` builds it.
pub(in crate::checks) fn new_rootfs(
    bench: &Bench,
    name: &str,
) -> anyhow::Result<std::path::PathBuf> {
    let path = bench.folder.join(name);
    bench.run(bench.other("rootfs"), [&path]).finish()?.must_end_with(0)?;
    fs::write(path.join("etc/mark"), "this root\n")?;
    Ok(path)
}
