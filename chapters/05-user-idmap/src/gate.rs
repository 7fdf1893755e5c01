// ANCHOR: all
//! How does the child wait until the parent has done its part?

use anyhow::Context;
use ch02_ipc::Channel;
use lab::debug;

/// A gate at which the child waits: the parent's word opens it.
pub struct Gate(Channel);

impl Gate {
    /// A closed gate, to be made before the clone.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn new() -> anyhow::Result<Gate> {
        Channel::new().map(Gate)
    }

    /// The child: returns when the parent has opened the gate.
    ///
    /// # Errors
    ///
    /// The parent ended without opening it.
    pub fn wait(&self) -> anyhow::Result<()> {
        // ANCHOR: exercise-wait
        self.0.in_child()?.wait().context("wait at the gate")
        // ANCHOR_END: exercise-wait
    }

    /// The parent: lets the child go on. It logs before it opens the gate, so that the lines of
    /// the two have one order.
    ///
    /// # Errors
    ///
    /// EPIPE: the child has ended.
    pub fn open(&self) -> anyhow::Result<()> {
        debug!("opening the gate");
        self.0.in_parent()?.say().context("open the gate")
    }
}
// ANCHOR_END: all
