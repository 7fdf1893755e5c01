//! Chapter 1: a hostname of its own, and no other new namespace than the table says.

use std::fs;

use anyhow::{Context, ensure};
use nix::errno::Errno;

use crate::{
    User,
    checks::{Check, holds},
    namespaces,
    seccomp::refuse,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "the hostname changes inside only",
        "sethostname(2) changes the caller's UTS namespace: call it in the child, after clone(2) \
         with CLONE_NEWUTS",
        |bench| {
            let hosts = || {
                fs::read_to_string("/proc/sys/kernel/hostname").context("read the host's hostname")
            };
            let before = hosts()?;
            let words = [
                "--hostname",
                "a-name-of-its-own",
                "--",
                "sh",
                "-c",
                "uname -n; read wait || exit 0",
            ];
            let mut running = bench.stage(words).start_waiting()?;
            running.until("\n")?;
            ensure!(hosts()? == before, "the host's hostname is {} now", told(&hosts()?.trim()));
            ensure!(
                running.output() != before,
                "inside, the hostname is the host's: {}",
                told(&before.trim())
            );
            running.release()?.must_end_with(0)?;
            ensure!(hosts()? == before, "the host's hostname is {} now", told(&hosts()?.trim()));
            holds()
        },
    ),
    Check::new(
        1,
        "the hostname is the one that was asked for",
        "set the name that --hostname gives, all of its bytes, up to 64, and none without it",
        |bench| {
            // From stage 6 on, the default is a random one.
            if bench.stage < 6 {
                let hosts = fs::read_to_string("/proc/sys/kernel/hostname")?;
                bench.stage(["uname", "-n"]).finish()?.must_end_with(0)?.must_write(&hosts)?;
            }
            for name in ["a-name-of-its-own", "another", &"x".repeat(64)] {
                let ended =
                    bench.stage(["--hostname", name, "uname", "-n"]).finish()?.must_end_with(0)?;
                ended.must_write(&format!("{name}\n"))?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "a hostname that cannot be set stops the stage",
        "return the error of sethostname(2): if you ignore it, the command runs under the host's \
         name",
        |bench| {
            bench
                .stage(["--hostname", "boxed", "--", "echo", "ran"])
                .with(refuse(&[libc::SYS_sethostname], Errno::EPERM)?)
                .finish()?
                .must_end_with(125)?
                .must_complain(&["sethostname"])?
                .must_write("")?;
            holds()
        },
    ),
    Check::new(
        1,
        "the new namespaces are the chapter's, no more and no fewer",
        "each CLONE_NEW* flag of clone(2) makes one new namespace. Without the flag the child \
         stays in its parent's",
        |bench| {
            let new = match bench.stage {
                1 => vec!["uts"],
                2 => vec!["ipc", "uts"],
                3 => vec!["ipc", "pid", "uts"],
                4 => vec!["ipc", "mnt", "pid", "uts"],
                5 => vec!["ipc", "mnt", "pid", "user", "uts"],
                6..=11 => vec!["ipc", "mnt", "net", "pid", "user", "uts"],
                _ => vec!["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"],
            };
            // An ordinary user's first four stages borrow a user namespace.
            let borrowed = bench.user == User::Ordinary && bench.stage < 5;
            let (mut outside, mut inside) = (namespaces::own()?, namespaces::of_command(bench)?);
            // A kernel may have none of this kind.
            if let Ok(cgroup) = fs::read_link("/proc/self/ns/cgroup") {
                let ended = bench.script("readlink /proc/self/ns/cgroup").finish()?;
                inside.insert("cgroup", ended.must_end_with(0)?.text().trim().into());
                outside.insert("cgroup", cgroup.display().to_string());
            }
            for (kind, namespace) in &inside {
                let expected = new.contains(kind) || borrowed && *kind == "user";
                let is_new = outside[kind] != *namespace;
                ensure!(
                    is_new == expected,
                    "{kind}: outside {}, inside {namespace}; it should be {}",
                    outside[kind],
                    if expected { "a new one" } else { "the same" }
                );
            }
            holds()
        },
    ),
];
