//! Chapter 9: image layers stay as they are, the container layer collects what changes.

mod aufs;
mod beside;
mod changes;
mod container_layer;
mod endings;
mod hostile;
mod image;
mod killed;
mod root;

use super::Check;

/// In the order in which a reader meets them.
pub(super) const CHECKS: &[&[Check]] = &[
    root::CHECKS,
    image::CHECKS,
    changes::CHECKS,
    container_layer::CHECKS,
    aufs::CHECKS,
    endings::CHECKS,
    killed::CHECKS,
    hostile::CHECKS,
    beside::CHECKS,
];
