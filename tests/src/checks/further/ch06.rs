//! Further, chapter 6: the host's network.

use anyhow::ensure;

use super::{Check, holds};
use crate::namespaces;

pub(super) const CHECKS: &[Check] = &[Check::new(
    6,
    "--host-net is the host's network, and nothing else of the host's",
    "leave out CLONE_NEWNET only, and do not touch the host's lo: the host's network belongs to \
     another user namespace, and root inside may not change it",
    |bench| {
        let ended = bench
            .stage(["--host-net", "--", "sh", "-c", &namespaces::script()])
            .finish()?
            .must_end_with(0)?;
        let (outside, inside) = (namespaces::own()?, namespaces::read_from(&ended.text())?);
        for (kind, namespace) in &inside {
            let is_hosts = outside[kind] == *namespace;
            ensure!(
                is_hosts == (*kind == "net"),
                "{kind}: outside {}, inside {namespace}",
                outside[kind]
            );
        }
        holds()
    },
)];
