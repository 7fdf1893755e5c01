// ANCHOR: outside
//! What is new in here?
//!
//! The first process of a run notes its namespaces and its root, before it makes others. A process
//! inside compares: a namespace is known by its inode number (namespaces(7)), a root by the device
//! and inode number of `/`.

use std::{
    fs,
    mem::size_of,
    os::{
        fd::AsRawFd,
        unix::{fs::MetadataExt, net::UnixDatagram},
    },
    ptr::from_mut,
};

use crate::{Kind, Namespaces, state::file_system};

/// What the first process has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// In the order of [`Kind::ALL`]; 0 where it cannot be read.
    namespaces: Vec<u64>,
    /// The device and the inode number of `/`; 0 where they cannot be read.
    root: [u64; 2],
    /// What [`network_namespace`] says; 0 where that cannot be read.
    network: u64,
}

impl Outside {
    /// What this process has.
    pub(crate) fn look() -> Outside {
        let inode = |kind: Kind| {
            let file = fs::metadata(format!("/proc/self/ns/{}", kind.file()));
            file.map_or(0, |file| file.ino())
        };
        Outside {
            namespaces: Kind::ALL.map(inode).to_vec(),
            root: root_folder().unwrap_or_default(),
            network: network_namespace().unwrap_or_default(),
        }
    }

    /// The kinds of namespaces in which this process is, and the first one is not.
    pub fn new_namespaces(&self) -> Namespaces {
        let own = Outside::look().namespaces;
        let pairs = self.namespaces.iter().zip(&own);
        let is_new = |(outside, own): (&u64, &u64)| *own != 0 && *outside != 0 && own != outside;
        let kinds = Kind::ALL.into_iter().zip(pairs.map(is_new));
        kinds.filter(|(_, is_new)| *is_new).map(|(kind, _)| kind).collect()
    }

    /// Whether `/` is the first process's.
    pub fn has_this_root(&self) -> bool {
        root_folder() == Some(self.root)
    }

    /// Whether `/` is a file system of layers that the first process's `/` is not on.
    pub(crate) fn has_other_layers(&self) -> bool {
        let is_layered = matches!(file_system(), Some("overlay" | "aufs"));
        is_layered && root_folder().is_some_and(|[device, _]| device != self.root[0])
    }

    /// Whether this process is in the first one's network namespace, if that can be known. Unlike
    /// [`Outside::new_namespaces`], it does without /proc.
    pub(crate) fn has_this_network(&self) -> Option<bool> {
        network_namespace().map(|network| network == self.network)
    }

    /// As one word, for the next program.
    pub(crate) fn to_word(&self) -> String {
        let numbers = self.root.iter().chain([&self.network]).chain(&self.namespaces);
        numbers.map(u64::to_string).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn from_word(word: &str) -> Option<Outside> {
        let numbers: Option<Vec<u64>> = word.split(',').map(|number| number.parse().ok()).collect();
        match numbers?.as_slice() {
            [device, inode, network, namespaces @ ..] if namespaces.len() == Kind::ALL.len() => {
                Some(Outside {
                    namespaces: namespaces.to_vec(),
                    root: [*device, *inode],
                    network: *network,
                })
            }
            _ => None,
        }
    }
}

/// The device and inode number of /.
fn root_folder() -> Option<[u64; 2]> {
    fs::metadata("/").ok().map(|root| [root.dev(), root.ino()])
}

/// A cookie, which no other network namespace has had since boot (Linux 5.14), or the inode
/// number, which another can have after it.
fn network_namespace() -> Option<u64> {
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
// ANCHOR_END: outside

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_process_has_crosses_an_execve() {
        let own = Outside::look();
        assert!(own.new_namespaces().is_empty() && own.has_this_root());
        assert_eq!(Outside::from_word(&own.to_word()), Some(own.clone()));
        for wrong in ["", "1", "1,2,3", "1,2,3,4,5,6,7,8,9,x", &format!("{},1", own.to_word())] {
            assert_eq!(Outside::from_word(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn another_inode_is_another_namespace() {
        let mut other = Outside::look();
        other.namespaces[1] += 1;
        other.root[1] += 1;
        assert_eq!(other.new_namespaces(), Namespaces::of(Kind::Mount));
        assert!(!other.has_this_root());
    }
}
