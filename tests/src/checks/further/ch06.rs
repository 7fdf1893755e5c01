//! Further, chapter 6: the host's network.

use anyhow::ensure;

use super::{Check, Outcome, holds};
use crate::{
    bench::Bench,
    checks::{namespaces_of, own_namespaces, read_namespaces},
};

pub(super) const CHECKS: &[Check] = &[Check {
    chapter: 6,
    name: "--host-net is the host's network, and nothing else of the host's",
    teaches: "root of a user namespace has power over what belongs to it: the host's network does not, so leave that flag out and do not touch its lo; all other flags stay",
    until: None,
    run: host_net,
}];

fn host_net(bench: &Bench) -> anyhow::Result<Outcome> {
    let ended = bench.stage(["--host-net", "--", "sh", "-c", &read_namespaces()]).finish()?.must_end_with(0)?;
    let (outside, inside) = (own_namespaces()?, namespaces_of(&ended.text())?);
    for (kind, namespace) in &inside {
        let is_hosts = outside[kind] == *namespace;
        ensure!(is_hosts == (*kind == "net"), "{kind}: outside {}, inside {namespace}", outside[kind]);
    }
    holds()
}
