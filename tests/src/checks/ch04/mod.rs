//! Chapter 4: nothing mounted inside reaches the host; the child has its own /proc and root.

mod mounts;
mod roots;

use super::Check;
pub(super) use roots::new_rootfs;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[mounts::CHECKS, roots::CHECKS];
