//! Further, chapter 1: the UTS namespace's other name.

use std::fs;

use anyhow::{Context, ensure};
use nix::errno::Errno;

use super::{Check, holds};
use crate::{seccomp::refuse, told};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "--domainname changes inside only",
        "the domain name belongs to the UTS namespace, as the hostname does: call setdomainname(2) \
         in the child",
        |bench| {
            let hosts = || {
                fs::read_to_string("/proc/sys/kernel/domainname")
                    .context("read the host's domain name")
            };
            let before = hosts()?;
            for name in ["domain-inside", "another", &"x".repeat(64)] {
                let words = ["--domainname", name, "cat", "/proc/sys/kernel/domainname"];
                let ended = bench.stage(words).finish()?.must_end_with(0)?;
                ended.must_write(&format!("{name}\n"))?;
            }
            ensure!(hosts()? == before, "the host's domain name is {} now", told(&hosts()?.trim()));
            // None was asked for: none is set.
            let words = ["cat", "/proc/sys/kernel/domainname"];
            bench.stage(words).finish()?.must_end_with(0)?.must_write(&before)?;
            holds()
        },
    ),
    Check::new(
        1,
        "a domain name that cannot be set stops the stage",
        "return the error of setdomainname(2): if you ignore it, the command runs under the host's \
         domain name",
        |bench| {
            bench
                .stage(["--domainname", "boxed", "--", "echo", "ran"])
                .with(refuse(&[libc::SYS_setdomainname], Errno::EPERM)?)
                .finish()?
                .must_end_with(125)?
                .must_complain(&[])?
                .must_write("")?;
            holds()
        },
    ),
    Check::new(
        1,
        "--domainname leaves the hostname alone",
        "two names, two system calls: sethostname(2) sets the one, setdomainname(2) the other",
        |bench| {
            let script = "uname -n; cat /proc/sys/kernel/domainname";
            let options = ["--hostname", "host-inside", "--domainname", "domain-inside"];
            let ended = bench.stage(options.into_iter().chain(["sh", "-c", script])).finish()?;
            ended.must_end_with(0)?.must_write("host-inside\ndomain-inside\n")?;
            holds()
        },
    ),
];
