// ANCHOR: intro
//! What a new IPC namespace hides: System V message queues, semaphores and shared memory.
//!
//! [`prove`] shows it in both directions: a queue made outside is not inside, and one
//! made inside is not outside. For that, two processes have to wait for each other: they do so at
//! a [`Channel`], as all processes do in the chapters above.
//!
//! | module | question it answers |
//! |---|---|
//! | `prove` | what can be seen through the wall? |
//! | `channel` | how does one process wait until the other has done something? |
//!
//! Source: ipc_namespaces(7), msgget(2), sysvipc(7).

mod channel;
mod prove;

use lab::{Kind, Namespaces};

pub use channel::{Channel, End};
pub use prove::{probe, prove};

/// A new IPC namespace (ipc_namespaces(7)).
pub const CLONE_NEWIPC: Namespaces = Namespaces::of(Kind::Ipc);
// ANCHOR_END: intro
