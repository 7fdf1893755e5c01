// ANCHOR: all
//! How does the child wait until the parent has done what only the parent can do?

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

use anyhow::{Context, bail};
use lab::info;

/// A pipe at which the child waits: one byte opens it.
///
/// clone(2) gives both ends to both processes. The child closes its writing end first:
/// else, with the parent gone, it would wait for itself.
pub struct Gate {
    reader: PipeReader,
    writer: Option<PipeWriter>,
}

impl Gate {
    /// A closed gate, to be made before the clone.
    ///
    /// # Errors
    ///
    /// EMFILE: too many open files.
    pub fn new() -> anyhow::Result<Gate> {
        let (reader, writer) = pipe().context("make a pipe for the gate")?;
        Ok(Gate {
            reader,
            writer: Some(writer),
        })
    }

    /// The child: returns when the parent has opened the gate.
    ///
    /// # Errors
    ///
    /// The parent ended without opening it.
    pub fn wait(&mut self) -> anyhow::Result<()> {
        // ANCHOR: exercise-wait
        self.writer = None;
        if self.reader.read(&mut [0]).context("wait at the gate")? == 0 {
            bail!("the parent gave up before it opened the gate");
        }
        Ok(())
        // ANCHOR_END: exercise-wait
    }

    /// The parent: lets the child go on. It speaks before it opens, so that the lines of
    /// the two have one order.
    ///
    /// # Errors
    ///
    /// EPIPE: the child is gone.
    pub fn open(self) -> anyhow::Result<()> {
        info!("opening the gate");
        let Some(mut writer) = self.writer else {
            bail!("the gate belongs to the child now")
        };
        writer.write_all(b"!").context("open the gate")
    }
}
// ANCHOR_END: all
