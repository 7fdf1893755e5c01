// ANCHOR: origin
//! Where was the first process of this run? A record says whether another is still there.

use std::{
    fs,
    mem::size_of,
    os::{
        fd::AsRawFd,
        unix::{fs::MetadataExt, net::UnixDatagram},
    },
    ptr::from_mut,
    str::FromStr,
};

/// Its root folder (device and inode number) and its network namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) root: (u64, u64),
    pub(crate) network: u64,
}

impl Origin {
    /// Of this process. What cannot be read is 0, which nothing is the same as.
    pub(crate) fn read() -> Origin {
        Origin {
            root: root_folder().unwrap_or_default(),
            network: network_namespace().unwrap_or_default(),
        }
    }

    /// `DEVICE:INODE:NETWORK`, as [`FromStr`] reads it.
    pub(crate) fn word(self) -> String {
        format!("{}:{}:{}", self.root.0, self.root.1, self.network)
    }
}

impl FromStr for Origin {
    type Err = ();

    fn from_str(word: &str) -> Result<Origin, ()> {
        let numbers: Result<Vec<u64>, _> = word.split(':').map(str::parse).collect();
        match numbers.map_err(|_| ())?[..] {
            [device, inode, network] => Ok(Origin {
                root: (device, inode),
                network,
            }),
            _ => Err(()),
        }
    }
}

/// The device and inode number of /.
pub(crate) fn root_folder() -> Option<(u64, u64)> {
    fs::metadata("/").ok().map(|root| (root.dev(), root.ino()))
}

/// A cookie, which no other network namespace has had since boot (Linux 5.14), or the inode
/// number, which another can have after it.
pub(crate) fn network_namespace() -> Option<u64> {
    let socket = UnixDatagram::unbound().ok()?;
    let (mut cookie, mut length) = (0_u64, size_of::<u64>() as libc::socklen_t);
    // SAFETY: the kernel writes at most `length` bytes to `cookie`, and the length to `length`.
    let read = unsafe {
        let to = from_mut(&mut cookie).cast();
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            to,
            &mut length,
        )
    };
    match read {
        0 => Some(cookie),
        _ => Some(fs::metadata("/proc/self/ns/net").ok()?.ino()),
    }
}
// ANCHOR_END: origin

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_crosses_an_execve_as_a_word() {
        let origin = Origin::read();
        assert_eq!(origin.word().parse(), Ok(origin));
        for wrong in ["", "1:2", "1:2:3:4", "1:2:x"] {
            assert_eq!(wrong.parse::<Origin>(), Err(()), "{wrong}");
        }
    }
}
