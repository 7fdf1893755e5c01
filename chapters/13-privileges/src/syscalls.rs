// ANCHOR: all
//! Which number has a system call?
//!
//! The filter compares numbers, and each architecture has its own. The table is data:
//! `syscalls.txt`. Source: syscalls(2), the kernel's syscall_64.tbl and syscall.tbl.

use std::{collections::HashMap, env::consts::ARCH, sync::LazyLock};

/// By name: the number on x86_64, and the one on aarch64.
static TABLE: LazyLock<HashMap<&str, [Option<i64>; 2]>> = LazyLock::new(|| {
    let lines = include_str!("syscalls.txt").lines().filter(|line| !line.starts_with('#'));
    let entry = |entry: &'static str| {
        let mut words = entry.split_whitespace();
        let name = words.next()?;
        let mut number = || words.next().and_then(|word| word.parse().ok()); // `-` is none
        Some((name, [number(), number()]))
    };
    lines.flat_map(|line| line.split(';')).filter_map(entry).collect()
});

/// The kernel whose system calls the table has. Its newest is rseq_slice_yield.
pub const NEWEST: &str = "Linux 7.0";

/// The newest one's number: since Linux 5.1 a new call has the same number everywhere.
pub fn newest() -> u32 {
    let numbers = TABLE.values().flatten().flatten();
    numbers.max().map_or(0, |number| *number as u32)
}

/// What the table says about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Its number on the architecture.
    Number(i64),
    /// Only another architecture has it.
    Elsewhere,
    /// The table does not have it.
    Unknown,
}

/// The number of this system call on this architecture.
pub fn lookup(name: &str) -> Lookup {
    lookup_on(ARCH, name)
}

/// Likewise, on `x86_64` or `aarch64`.
pub fn lookup_on(architecture: &str, name: &str) -> Lookup {
    let column = match architecture {
        "x86_64" => 0,
        "aarch64" => 1,
        _ => return Lookup::Unknown,
    };
    match TABLE.get(name) {
        None => Lookup::Unknown,
        Some(numbers) => numbers[column].map_or(Lookup::Elsewhere, Lookup::Number),
    }
}
// ANCHOR_END: all

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! agree {
        ($($name:ident)*) => {
            $(
                let text = stringify!($name).strip_prefix("SYS_").unwrap();
                assert_eq!(lookup(text), Lookup::Number(libc::$name), "{text}");
            )*
        };
    }

    #[test]
    fn the_table_agrees_with_the_c_library() {
        agree!(SYS_read SYS_execve SYS_clone SYS_clone3 SYS_mount SYS_unshare SYS_setns SYS_keyctl);
        agree!(SYS_socket SYS_personality SYS_ptrace SYS_bpf SYS_openat2 SYS_mseal SYS_seccomp);
        agree!(SYS_newfstatat SYS_io_uring_setup SYS_exit_group SYS_rt_sigreturn SYS_umount2);
    }

    #[test]
    fn each_architecture_has_its_own() {
        assert_eq!(lookup_on("x86_64", "open"), Lookup::Number(2));
        assert_eq!(lookup_on("aarch64", "open"), Lookup::Elsewhere);
        assert_eq!(lookup_on("aarch64", "openat"), Lookup::Number(56));
        assert_eq!(lookup_on("x86_64", "opennat"), Lookup::Unknown);
        assert_eq!(lookup_on("x86_64", ""), Lookup::Unknown);
        assert_eq!(lookup("rseq_slice_yield"), Lookup::Number(newest().into()));
    }
}
