//! Chapter 11: which namespaces are joined, and how.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use nix::errno::Errno;

use super::of_exec;
use crate::{
    User,
    checks::{Check, holds},
    named::{container, exec},
    namespaces,
    seccomp::{refuse, refuse_several_namespaces},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        11,
        "only the namespaces that were asked for are joined",
        "setns(2) joins the kinds that its flags name, and no other",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let (own, theirs) = (namespaces::own()?, namespaces::of(running.command()?)?);
            let pid = running.command()?.to_string();
            for (asked, joined) in [
                (&["--user", "--net"][..], &["user", "net"][..]),
                (&["--user", "--uts", "--ipc"], &["user", "uts", "ipc"]),
                (&["--user", "--mount", "--pid"], &["user", "mnt", "pid"]),
                (&["--user"], &["user"]),
            ] {
                for how in [&[][..], &["--one-by-one"]] {
                    let found = of_exec(bench, &[&["--target", &pid], asked, how].concat())?;
                    let expected: BTreeMap<_, _> = own
                        .iter()
                        .map(|(kind, own)| {
                            (
                                *kind,
                                if joined.contains(kind) {
                                    &theirs[kind]
                                } else {
                                    own
                                }
                                .clone(),
                            )
                        })
                        .collect();
                    ensure!(
                        found == expected,
                        "{asked}: it is in {found}, not in {expected}",
                        asked = told(&asked),
                        found = told(&found),
                        expected = told(&expected)
                    );
                }
            }
            let all = of_exec(bench, &["--target", &pid, "--all"])?;
            ensure!(
                all == theirs,
                "--all: it is in {all}, not in {theirs}",
                all = told(&all),
                theirs = told(&theirs)
            );
            // Without the user namespace it takes a privilege, which root has and nobody else.
            let net =
                exec(bench, &["--target", &pid, "--net"], "readlink /proc/self/ns/net").finish()?;
            match bench.user {
                User::Root => {
                    drop(net.must_end_with(0)?.must_write(&format!("{}\n", theirs["net"]))?)
                }
                User::Ordinary => drop(net.must_end_with(125)?.must_complain(&[
                    "setns: network",
                    "CAP_SYS_ADMIN",
                    "--user",
                ])?),
            }
            running.release()?.must_end_with(0)?;
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        11,
        "one by one, the user namespace comes first",
        "open all files first, because after you join the mount namespace another /proc is in \
         place; then join the user namespace first, because it gives the capabilities that the \
         others require",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let (theirs, pid) =
                (namespaces::of(running.command()?)?, running.command()?.to_string());
            let found = of_exec(bench, &["--target", &pid, "--all", "--one-by-one"])?;
            ensure!(
                found == theirs,
                "it is in {found}, not in {theirs}",
                found = told(&found),
                theirs = told(&theirs)
            );
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        11,
        "where setns takes no pidfd, or it is not asked to, the files are joined one by one",
        "before Linux 5.8 setns(2) refuses a pidfd (EINVAL), and here it is made to: then, and \
         only then, join one file after the other; with --one-by-one do that at once; and return \
         what it refuses: the command would run on the host",
        |bench| {
            let running = container(bench, "box", &["--rootfs", "/"])?;
            let theirs = namespaces::of(running.command()?)?;
            let with = |errno: Errno, words: &[&str]| {
                exec(bench, words, &namespaces::script())
                    .with(refuse_several_namespaces(errno)?)
                    .finish()
            };
            for (errno, words) in
                [(Errno::EINVAL, &["box"][..]), (Errno::EPERM, &["--one-by-one", "box"])]
            {
                let found = namespaces::read_from(&with(errno, words)?.must_end_with(0)?.text())?;
                ensure!(
                    found == theirs,
                    "{words}: it is in {found}, not in {theirs}",
                    words = told(&words),
                    found = told(&found),
                    theirs = told(&theirs)
                );
            }
            let refused = with(Errno::EPERM, &["box"])?.must_end_with(125)?.must_write("")?;
            refused.must_complain(&["setns", "not permitted"])?;
            // If no namespace can be joined, the command does not run on the host.
            let refused = exec(bench, &["--one-by-one", "box"], "echo ran")
                .with(refuse(&[libc::SYS_setns], Errno::EPERM)?)
                .finish()?
                .must_end_with(125);
            let refused = refused.context("where the kernel refuses each setns(2)")?;
            refused.must_write("")?.must_complain(&["setns", "not permitted"])?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
];
