// ANCHOR: aufs
//! How does aufs get the layers?
//!
//! Source: aufs(5).

use std::os::unix::ffi::OsStrExt;

use anyhow::ensure;

use crate::stack::{Stack, mount_with};

/// aufs stores its branches in one page, and does not check whether they fit (aufs for Linux 6.1):
/// with 86 the kernel crashes.
const MOST_OF_AUFS: usize = 80;

/// `dirs=CONTAINER=rw:TOP=ro+wh:…:LOWEST=ro+wh`: aufs writes to the first; in the others it obeys
/// whiteouts only with `+wh`.
pub(crate) fn mount(stack: &Stack) -> anyhow::Result<()> {
    ensure!(
        stack.image.len() < MOST_OF_AUFS,
        "aufs takes at most {} image layers, and you named {}: --driver overlay takes 500",
        MOST_OF_AUFS - 1,
        stack.image.len()
    );
    let branches = [(&stack.container, "=rw")].into_iter();
    let branches = branches.chain(stack.image.iter().rev().map(|layer| (layer, ":=ro+wh")));
    let mut options = b"dirs=".to_vec();
    for (branch, how) in branches {
        let path = branch.as_os_str().as_bytes();
        let special = path.iter().any(|byte| b":,\\=".contains(byte));
        ensure!(
            !special,
            "aufs cannot take the path {}: it has a colon, a comma, an = or a backslash",
            branch.display()
        );
        if how.starts_with(':') {
            options.push(b':');
        }
        options.extend(path);
        options.extend(how.trim_start_matches(':').bytes());
    }
    mount_with("aufs", &stack.merged, &options)
}

// ANCHOR_END: aufs
