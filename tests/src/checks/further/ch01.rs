//! Further, chapter 1: the UTS namespace's other name.

use std::fs;

use anyhow::{Context, ensure};

use super::{Check, holds};
use crate::told;

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
            let words = ["--domainname", "domain-inside", "cat", "/proc/sys/kernel/domainname"];
            bench.stage(words).finish()?.must_end_with(0)?.must_write("domain-inside\n")?;
            ensure!(hosts()? == before, "the host's domain name is {} now", told(&hosts()?.trim()));
            holds()
        },
    ),
    Check::new(
        1,
        "--domainname leaves the hostname alone",
        "two names, two system calls: sethostname(2) sets the one, setdomainname(2) the other",
        |bench| {
            let words =
                ["--hostname", "host-inside", "--domainname", "domain-inside", "uname", "-n"];
            bench.stage(words).finish()?.must_end_with(0)?.must_write("host-inside\n")?;
            holds()
        },
    ),
];
