//! Chapter 8: the caller's keys stay outside.

use std::{io, os::unix::process::CommandExt, process::Command, ptr::null};

use nix::errno::Errno;

use crate::{
    Outcome,
    checks::{Check, holds},
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    8,
    "no key of the caller's session is inside",
    "clone(2) and execve(2) keep the session keyring: join a new one, whose keys are \
         nobody's",
    |bench| {
        match bench.run("true", [""; 0]).with(with_a_key).finish() {
            Ok(ended) => drop(ended.must_end_with(0)?),
            Err(error) => {
                return Ok(Outcome::Skipped(format!("no key can be made here: {error:#}")));
            }
        }
        let session = libc::KEY_SPEC_SESSION_KEYRING.cast_unsigned();
        let (keyctl, search) = (libc::SYS_keyctl, libc::KEYCTL_SEARCH);
        let search = format!("{keyctl} {search} {session} user judge 0");
        let inside = bench.other("inside").display().to_string();
        let own = bench.run(&inside, ["call", &search]).with(with_a_key);
        own.finish()?.must_end_with(0)?.must_write("0\n")?;
        for options in [&[][..], &["--init"]] {
            let words = [&["-q"], options, &["--", &inside, "call", &search]].concat();
            let run = bench.stage(words).with(with_a_key);
            run.finish()?.must_end_with(0)?.must_write("ENOKEY\n")?;
        }
        holds()
    },
)
.privileged()];

/// The command has a session keyring of its own, and in it a key called `judge`.
fn with_a_key(command: &mut Command) {
    let add = || {
        let (user, judge) = (c"user".as_ptr(), c"judge".as_ptr());
        let anonymous = null::<libc::c_char>();
        // SAFETY: two system calls with texts that live as long as the program: no lock, no
        // allocation.
        let added = unsafe {
            libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, anonymous);
            let session = libc::KEY_SPEC_SESSION_KEYRING;
            libc::syscall(libc::SYS_add_key, user, judge, c"x".as_ptr(), 1, session)
        };
        Errno::result(added).map(drop).map_err(io::Error::from)
    };
    // SAFETY: `add` makes two system calls, and nothing else.
    unsafe { command.pre_exec(add) };
}
