//! `reseed WORDS`: makes the kernel's random numbers depend on these words.
//!
//! A machine that is restored from a snapshot goes on with the random numbers of all others. What
//! is written to /dev/urandom is mixed in at the next reseed, up to a minute later; RNDRESEEDCRNG
//! makes it now (random(4)).

use std::{
    env,
    ffi::{c_int, c_ulong},
    fs::OpenOptions,
    io::{Error, Write},
    os::fd::AsRawFd,
};

unsafe extern "C" {
    fn ioctl(descriptor: c_int, request: c_ulong, ...) -> c_int;
}

/// `_IO('R', 0x07)` (linux/random.h).
const RNDRESEEDCRNG: c_ulong = 0x5207;

fn main() -> Result<(), Error> {
    let words: Vec<String> = env::args().skip(1).collect();
    let mut device = OpenOptions::new().write(true).open("/dev/urandom")?;
    device.write_all(words.join(" ").as_bytes())?;
    // SAFETY: the request takes no argument, and the descriptor is open.
    match unsafe { ioctl(device.as_raw_fd(), RNDRESEEDCRNG) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}
