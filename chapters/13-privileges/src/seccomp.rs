// ANCHOR: filter
//! How does the kernel learn which system calls a process may make?
//!
//! From a program for the kernel's own little machine (classic BPF). The kernel runs it at each
//! system call of the process, and of all that it starts; nobody can take it off again. It sees
//! the architecture, the number and the six arguments, and answers with an action. It does not see
//! memory: of a path or a structure it has the address.
//!
//! Source: seccomp(2), the kernel's Documentation/userspace-api/seccomp_filter.rst.

use std::{collections::BTreeMap, env::consts::ARCH};

use anyhow::{Context, ensure};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch, apply_filter, sock_filter,
};

use crate::{
    profile::{Item, Profile},
    syscalls,
};

/// The most instructions that the kernel takes (BPF_MAXINSNS).
const MOST: usize = 4096;

/// Calls of x32, pointers of 32 bits on x86_64, have the same architecture, and this bit in their
/// number: a rule for a number does not meet them.
const X32: u32 = 0x4000_0000;

/// A program for the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(BpfProgram);

/// The rules of one action, by the number of the call; an empty list means always.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

impl Filter {
    /// Compiles a profile. `None` if it lets everything through.
    ///
    /// seccompiler knows one action besides the default. So there is a program for each action,
    /// the most severe first, which goes on to the next where it has nothing to say. The last two
    /// let through what the profile names, and answer all else with the profile's default.
    ///
    /// # Errors
    ///
    /// It has more than 4096 instructions, or the architecture is neither x86_64 nor aarch64.
    pub fn compile(profile: &Profile) -> anyhow::Result<Option<Filter>> {
        let mut program = architecture()?;
        for action in severe_first(&profile.items) {
            let of_this_action = profile.items.iter().filter(|item| item.action == action);
            let part = part(rules(of_this_action)?, SeccompAction::Allow, action.clone())?;
            program.extend(go_on(part));
        }
        let default = &profile.default;
        match default {
            SeccompAction::Allow if severe_first(&profile.items).is_empty() => return Ok(None),
            SeccompAction::Allow | SeccompAction::Log => program.extend(go_on(unknown_from(X32))),
            _ => program.extend(go_on(unknown_from(syscalls::newest() + 1))),
        }
        let (always, sometimes): (Rules, Rules) = rules(&profile.items)?
            .into_iter()
            .partition(|(_, conditions)| conditions.is_empty());
        program.extend(let_through(&always));
        program.extend(part(sometimes, default.clone(), SeccompAction::Allow)?);
        let length = program.len();
        ensure!(length <= MOST, "the filter has {length} instructions: the kernel takes {MOST}");
        Ok(Some(Filter(program)))
    }

    /// Installs it for this process and all that it executes. This comes last: the next call may
    /// be one that it refuses.
    ///
    /// # Errors
    ///
    /// The kernel was built without seccomp, or an outer sandbox refuses.
    pub fn install(&self) -> anyhow::Result<()> {
        lab::records::read_for_the_last_time();
        apply_filter(&self.0).context("seccomp SECCOMP_SET_MODE_FILTER")
    }

    /// How many instructions it has.
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// Eight bytes an instruction.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |one: &sock_filter| {
            let [a, b] = one.code.to_le_bytes();
            let [c, d, e, f] = one.k.to_le_bytes();
            [a, b, one.jt, one.jf, c, d, e, f]
        };
        self.0.iter().flat_map(bytes).collect()
    }

    /// What [`to_bytes`](Filter::to_bytes) made.
    ///
    /// # Errors
    ///
    /// It is cut short, or empty.
    pub fn from_bytes(bytes: &[u8]) -> anyhow::Result<Filter> {
        let (instructions, rest) = bytes.as_chunks::<8>();
        ensure!(
            rest.is_empty() && (1..=MOST).contains(&instructions.len()),
            "a filter of {} bytes",
            bytes.len()
        );
        let instruction = |&[a, b, jt, jf, c, d, e, f]: &[u8; 8]| sock_filter {
            code: u16::from_le_bytes([a, b]),
            jt,
            jf,
            k: u32::from_le_bytes([c, d, e, f]),
        };
        Ok(Filter(instructions.iter().map(instruction).collect()))
    }
}
// ANCHOR_END: filter

// ANCHOR: compile
/// The actions of the items but Allow, the most severe first: it wins where two items match.
fn severe_first(items: &[Item]) -> Vec<SeccompAction> {
    let severity = |action: &SeccompAction| match action {
        SeccompAction::KillProcess => 0,
        SeccompAction::KillThread => 1,
        SeccompAction::Trap => 2,
        SeccompAction::Errno(_) => 3,
        _ => 4,
    };
    let mut actions: Vec<SeccompAction> = Vec::new();
    for item in items {
        if item.action != SeccompAction::Allow && !actions.contains(&item.action) {
            actions.push(item.action.clone());
        }
    }
    actions.sort_by_key(severity);
    actions
}

/// One item without a condition makes those with conditions superfluous.
fn rules<'a>(items: impl IntoIterator<Item = &'a Item>) -> anyhow::Result<Rules> {
    let mut rules = Rules::new();
    let mut always = Vec::new();
    for item in items {
        for call in &item.calls {
            let of_call = rules.entry(*call).or_default();
            match item.conditions.is_empty() {
                true => always.push(*call),
                false => of_call.push(SeccompRule::new(item.conditions.clone())?),
            }
        }
    }
    rules.extend(always.into_iter().map(|call| (call, Vec::new())));
    Ok(rules)
}

/// seccompiler's programs begin with a look at the architecture: for another one than this
/// program's (on x86_64, `int 0x80` makes calls of i386) they kill the process. This one does
/// nothing else.
fn architecture() -> anyhow::Result<BpfProgram> {
    let kill = SeccompAction::KillProcess;
    part(Rules::new(), SeccompAction::Allow, kill).map(go_on)
}

fn part(
    rules: Rules,
    otherwise: SeccompAction,
    action: SeccompAction,
) -> anyhow::Result<BpfProgram> {
    let architecture: TargetArch = ARCH.try_into()?;
    if otherwise == action {
        // The library refuses this: only a default of Allow has no need of rules.
        return Ok(vec![answer(&action)]);
    }
    Ok(SeccompFilter::new(rules, otherwise, action, architecture)?.try_into()?)
}

/// A call from this number on is newer than the table of this book, so no profile can name it.
/// ENOSYS says that the kernel does not have it, and a program then tries an older call; after
/// EPERM it would give up.
fn unknown_from(number: u32) -> BpfProgram {
    // ANCHOR: exercise-unknown
    let load_the_number = instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0);
    let compare = instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, number);
    let refuse = answer(&SeccompAction::Errno(libc::ENOSYS as u32));
    [load_the_number, compare, refuse, answer(&SeccompAction::Allow)].into()
    // ANCHOR_END: exercise-unknown
}

/// Lets these calls through, whatever their arguments. It compares runs of numbers that follow each
/// other, because the kernel walks a new filter once for each call there is (since Linux 5.11).
fn let_through(calls: &Rules) -> BpfProgram {
    let numbers: Vec<i64> = calls.keys().copied().collect();
    let mut program = vec![instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0)];
    for run in numbers.chunk_by(|number, next| number + 1 == *next) {
        let (first, last) = (run[0] as u32, run[run.len() - 1] as u32);
        let is_below = instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 2, first);
        let is_above = instruction(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 0, last);
        program.extend([
            is_below,
            sock_filter { jt: 1, ..is_above },
            answer(&SeccompAction::Allow),
        ]);
    }
    program
}

/// If a comparison holds, the next instruction follows; otherwise `jf` are skipped.
fn instruction(code: u32, jf: u8, k: u32) -> sock_filter {
    sock_filter {
        code: code as u16,
        jt: 0,
        jf,
        k,
    }
}

fn answer(action: &SeccompAction) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, 0, action.clone().into())
}

/// The same program, which goes on to the next one where it would let something through.
fn go_on(mut program: BpfProgram) -> BpfProgram {
    let (allow, length) = (answer(&SeccompAction::Allow), program.len());
    for (index, instruction) in program.iter_mut().enumerate() {
        if *instruction == allow {
            instruction.code = (libc::BPF_JMP | libc::BPF_JA) as u16;
            instruction.k = (length - index - 1) as u32;
        }
    }
    program
}
// ANCHOR_END: compile

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;
