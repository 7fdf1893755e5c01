// ANCHOR: intro
//! What a new IPC namespace hides: System V message queues, semaphores and shared memory.
//!
//! [`prove`] shows it in both directions: a queue made outside is not inside, and one
//! made inside is not outside. For that, two processes wait for each other at a [`Channel`], as
//! all processes in later chapters do.
//!
//! | module | question it answers |
//! |---|---|
//! | `prove` | which queues does a process in a new IPC namespace see? |
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
