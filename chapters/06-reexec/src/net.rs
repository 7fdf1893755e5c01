// ANCHOR: all
//! What must be done in a new network namespace? Its loopback interface is down.

use std::{mem, net::UdpSocket, os::fd::AsRawFd};

use anyhow::Context;
use lab::info;
use nix::errno::Errno;

/// Brings up `lo`, which is down in a new network namespace (network_namespaces(7)). Then a
/// program inside can reach 127.0.0.1.
///
/// # Errors
///
/// EPERM without CAP_NET_ADMIN in the user namespace that owns the network namespace.
pub fn bring_up_loopback() -> anyhow::Result<()> {
    // netdevice(7) looks for the interface in the socket's network namespace. Any socket will do.
    let socket = UdpSocket::bind(("0.0.0.0", 0)).context("make a socket")?;
    // SAFETY: an ifreq is numbers and pointers, and a null pointer is valid: all zeroes is one.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    // ANCHOR: exercise-up
    // SAFETY: SIOCGIFFLAGS reads the name from and writes the flags to an ifreq, which `request`
    // is.
    let read =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as libc::Ioctl, &mut request) };
    Errno::result(read).context("read the flags of lo (SIOCGIFFLAGS)")?;
    // SAFETY: the call above has filled the union's flags.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    // SAFETY: SIOCSIFFLAGS reads an ifreq.
    let written =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as libc::Ioctl, &request) };
    Errno::result(written).context("set the flags of lo (SIOCSIFFLAGS)")?;
    // ANCHOR_END: exercise-up
    info!("lo is up");
    Ok(())
}
// ANCHOR_END: all
