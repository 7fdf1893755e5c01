// ANCHOR: exec
//! What does `exec` do differently?
//!
//! With `-t` the command gets a terminal of its own, from the container's devpts. And its pipes
//! belong to root inside, so that it can open them again as /dev/stdout.

use ch03_pid::{Job, Terminal};
use ch08_pipe_init::Streams;
use ch11_nsenter::{ExecOptions, Target, exec_in};
use lab::Exit;

use crate::{
    caller::CallersTerminal,
    pty::{Pty, master_for, master_of_machine},
    relay::Relay,
    shifted::give_away,
};

/// The parent, as in stage 11.
///
/// # Errors
///
/// As [`ch11_nsenter::exec()`]; there are too many pseudoterminals.
pub fn exec(options: &ExecOptions) -> anyhow::Result<Exit> {
    exec_at(options, options.find_target()?, options.process.streams()?)
}

/// The same, for a target that was found, and with these streams.
///
/// # Errors
///
/// As [`exec`].
pub fn exec_at(
    options: &ExecOptions,
    target: Target,
    mut streams: Streams,
) -> anyhow::Result<Exit> {
    let owner = target.user_outside()?;
    let job = Job::with(Terminal::Cut)?;
    let mut relay = None;
    let callers; // dropped last: sets the terminal back, however this ends
    if options.process.tty {
        callers = CallersTerminal::look()?;
        let master = match options.is_whole() || options.joined.mount {
            true => master_for(&target)?,
            false => master_of_machine()?,
        };
        relay = Some(Relay::new(&job, Pty::of(master, owner)?, &callers, &mut streams)?);
    }
    give_away(&streams, owner)?;
    exec_in(options, target, &job, streams, |streams, init| match relay {
        Some(relay) => relay.wait(streams, init),
        None => streams.wait(&job, init),
    })
}
// ANCHOR_END: exec
