// ANCHOR: sets
//! How does a process give capabilities up?
//!
//! A process has five sets of them:
//!
//! | set | what it is | in a container |
//! |---|---|---|
//! | bounding | the most that an execve(2) can give | what you keep |
//! | permitted | what the process may switch on | root: what you keep; others: none |
//! | effective | what the kernel looks at | as permitted |
//! | inheritable | what a file with the same set keeps at execve(2) | empty (CVE-2022-24769) |
//! | ambient | what a user that is not root keeps at execve(2) | empty |
//!
//! At execve(2) root's permitted set becomes its inheritable set and the bounding set; another
//! user's becomes the ambient set. So both inside have what they had before, and a user that is
//! not root has none, whatever you add: as in Docker.
//!
//! Source: capabilities(7), capset(2), the kernel's security/commoncap.c.

use anyhow::Context;
use rustix::{
    io::Errno,
    thread::{
        CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities,
    },
};

use crate::CapabilitySet;

impl CapabilitySet {
    /// Takes all others out of the bounding set. This comes first: it needs CAP_SETPCAP, which the
    /// process may lose next.
    ///
    /// # Errors
    ///
    /// EPERM: the process does not have CAP_SETPCAP in its user namespace.
    pub fn bound(self) -> anyhow::Result<()> {
        // ANCHOR: exercise-bound
        for number in 0..u64::BITS {
            match capability_is_in_bounding_set(one(number)) {
                Err(Errno::INVAL) => break, // the kernel's last was the one before
                Ok(true) if self.bits() & 1 << number == 0 => {
                    let dropped = remove_capability_from_bounding_set(one(number));
                    dropped.with_context(|| format!("prctl PR_CAPBSET_DROP {number}"))?;
                }
                other => _ = other.context("prctl PR_CAPBSET_READ")?,
            }
        }
        // ANCHOR_END: exercise-bound
        Ok(())
    }

    /// Makes it this process's permitted and effective set; the inheritable and the ambient set
    /// are empty then. This comes after the process has become its user: setresuid(2) from root to
    /// another user clears the three sets, and a user that is not root gets `NONE`. (Nothing is
    /// to be kept over that call, so it needs no PR_SET_KEEPCAPS.)
    ///
    /// # Errors
    ///
    /// EPERM: the process has not all of them.
    pub fn become_own(self) -> anyhow::Result<()> {
        clear_ambient_capability_set().context("prctl PR_CAP_AMBIENT_CLEAR_ALL")?;
        let own = rustix::thread::CapabilitySet::from_bits_retain(self.bits());
        let sets = CapabilitySets {
            effective: own,
            permitted: own,
            inheritable: rustix::thread::CapabilitySet::empty(),
        };
        set_capabilities(None, sets)
            .with_context(|| format!("capset to {self} (EPERM: this process has less)"))
    }
}

/// The set of one capability, by its number.
pub(crate) fn one(number: u32) -> rustix::thread::CapabilitySet {
    rustix::thread::CapabilitySet::from_bits_retain(1 << number)
}
// ANCHOR_END: sets
