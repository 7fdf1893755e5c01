//! Further, chapter 1: the UTS namespace's other name.

use std::fs;

use anyhow::{Context, ensure};

use super::{Check, Outcome, holds};
use crate::bench::Bench;

pub(super) const CHECKS: &[Check] = &[
    Check {
        chapter: 1,
        name: "--domainname changes inside only",
        teaches: "the domain name belongs to the UTS namespace, as the hostname does: setdomainname(2), in the child",
        until: None,
        run: domainname,
    },
    Check {
        chapter: 1,
        name: "--domainname leaves the hostname alone",
        teaches: "two names, two calls: sethostname(2) sets one of them, setdomainname(2) the other",
        until: None,
        run: hostname_stays,
    },
];

fn domainname(bench: &Bench) -> anyhow::Result<Outcome> {
    let hosts = || fs::read_to_string("/proc/sys/kernel/domainname").context("read the host's domain name");
    let before = hosts()?;
    let words = ["--domainname", "domain-inside", "cat", "/proc/sys/kernel/domainname"];
    bench.stage(words).finish()?.must_end_with(0)?.must_write("domain-inside\n")?;
    ensure!(hosts()? == before, "the host's domain name is {:?} now", hosts()?.trim());
    holds()
}

fn hostname_stays(bench: &Bench) -> anyhow::Result<Outcome> {
    let words = ["--hostname", "host-inside", "--domainname", "domain-inside", "uname", "-n"];
    bench.stage(words).finish()?.must_end_with(0)?.must_write("host-inside\n")?;
    holds()
}
