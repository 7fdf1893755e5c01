//! Which of a stage's processes is it, and which calls has it made?

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    os::unix::fs::FileExt,
};

use judge::process::name;
use nix::unistd::Pid;

use crate::{
    calls::{self, Call},
    case::{ROLES, Role},
};

/// A system call that a process of the stage has begun.
#[derive(Clone, Copy)]
pub struct Begun {
    /// Whose it was.
    pub role: Role,
    /// Counted from 1, among the calls of this role.
    pub number: usize,
    /// How it can fail; `None`: it cannot, or it is not the stage's own.
    pub call: Option<&'static Call>,
}

/// The traced processes.
pub struct Processes {
    stage: u8,
    known: HashMap<Pid, Process>,
    /// Those that have stopped before their parent told about them.
    pub early: HashSet<Pid>,
    has_keeper: bool,
    numbers: [usize; ROLES.len()],
}

#[derive(Clone, Copy)]
struct Process {
    role: Role,
    /// Whether what it executes has come as far as `main`.
    is_in_main: bool,
    /// The flags of the clone(2) that it last began.
    flags: u64,
}

impl Processes {
    /// The first one only, the parent.
    pub fn new(parent: Pid, stage: u8) -> Processes {
        let process = Process {
            role: Role::Parent,
            is_in_main: false,
            flags: 0,
        };
        Processes {
            stage,
            known: HashMap::from([(parent, process)]),
            early: HashSet::new(),
            has_keeper: false,
            numbers: [0; ROLES.len()],
        }
    }

    /// Whether it is one of them.
    pub fn has(&self, pid: Pid) -> bool {
        self.known.contains_key(&pid)
    }

    /// All of them.
    pub fn all(&self) -> Vec<Pid> {
        self.known.keys().chain(&self.early).copied().collect()
    }

    /// It has ended.
    pub fn remove(&mut self, pid: Pid) {
        self.known.remove(&pid);
        self.early.remove(&pid);
    }

    /// It has cloned this one. Whether this one has stopped by now, and waits.
    pub fn add(&mut self, parent: Pid, child: Pid) -> bool {
        if let Some(process) = self.known.get(&parent).copied() {
            let role = self.role_of_child(process);
            self.known.insert(child, Process { role, ..process });
        }
        self.early.remove(&child)
    }

    fn role_of_child(&mut self, parent: Process) -> Role {
        let has = |flag: i32| parent.flags & flag as u64 != 0;
        match parent.role {
            same if has(libc::CLONE_THREAD) => same,
            Role::Parent | Role::Keeper if has(libc::CLONE_NEWPID) => Role::Init,
            Role::Parent if self.stage >= 9 && !self.has_keeper => {
                self.has_keeper = true;
                Role::Keeper
            }
            Role::Command => Role::Command,
            _ => Role::Helper,
        }
    }

    /// It has executed a program; `shell` is the command's.
    pub fn executed(&mut self, pid: Pid, shell: &str) {
        if let Some(process) = self.known.get_mut(&pid) {
            process.is_in_main = false;
            if process.role == Role::Init && name(pid) == shell {
                process.role = Role::Command;
            }
        }
    }

    /// It begins a system call.
    pub fn begins(&mut self, pid: Pid, call: u64, mut arguments: [u64; 6]) -> Option<Begun> {
        let process = self.known.get_mut(&pid)?;
        let is = |number: libc::c_long| call == number as u64;
        if is(libc::SYS_clone) {
            process.flags = arguments[0];
        } else if is(libc::SYS_clone3) {
            process.flags = first_number_at(pid, arguments[0]).unwrap_or_default();
            arguments[0] = process.flags;
        } else if is_fork(call) {
            process.flags = 0;
        }
        let is_own = process.is_in_main && process.role != Role::Command;
        // The first that Rust's runtime does: it looks whether descriptors 0 to 2 are open.
        process.is_in_main |= is_poll(call);
        let role = process.role;
        let number = &mut self.numbers[role as usize];
        *number += 1;
        Some(Begun {
            role,
            number: *number,
            call: calls::known(call, &arguments).filter(|_| is_own),
        })
    }
}

fn first_number_at(pid: Pid, place: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    memory.read_exact_at(&mut bytes, place).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

#[cfg(target_arch = "x86_64")]
fn is_fork(call: u64) -> bool {
    [libc::SYS_fork, libc::SYS_vfork].contains(&(call as libc::c_long))
}
#[cfg(not(target_arch = "x86_64"))]
fn is_fork(_: u64) -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
fn is_poll(call: u64) -> bool {
    [libc::SYS_poll, libc::SYS_ppoll].contains(&(call as libc::c_long))
}
#[cfg(not(target_arch = "x86_64"))]
fn is_poll(call: u64) -> bool {
    call == libc::SYS_ppoll as u64
}
