//! What does a run of a stage do that is stopped at each of its system calls (ptrace(2)), and is
//! hurt at one of them?

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use judge::{
    Ended,
    bench::{Run, Running},
    slow::{events, trace, unless_it_ended},
};
use nix::{
    errno::Errno,
    sys::{
        ptrace::{self, Event},
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, WaitStatus, waitid},
    },
    unistd::Pid,
};

use crate::{
    calls::Call,
    case::{Case, Fault, Moment},
    processes::{Begun, Processes},
    registers,
    stages::SHELL,
    wait::{self, Alarm},
};

const EXEC: i32 = Event::PTRACE_EVENT_EXEC as i32;

/// A run that takes longer hangs.
const BOUND: Duration = Duration::from_secs(5);
/// How long its other processes may live on.
const REST: Duration = Duration::from_secs(5);

/// What became of a run.
pub struct Traced {
    /// How it ended; with SIGKILL, if it hung.
    pub ended: Ended,
    /// The calls that were made up to the fault.
    pub calls: Vec<Begun>,
    /// Whether there was a fault.
    pub was_hurt: bool,
    /// What took too long.
    pub hangs: Vec<String>,
}

struct Tracer<'a> {
    case: Option<&'a Case>,
    processes: Processes,
    calls: Vec<Begun>,
    /// Whose call is about to fail.
    failing: Option<(Pid, Errno)>,
    was_hurt: bool,
    hangs: Vec<String>,
}

/// Runs it to its end, with this fault, or without one.
///
/// # Errors
///
/// Nobody may trace a child here; or SIGKILL does not end it.
pub fn follow(run: Run, stage: u8, case: Option<&Case>) -> anyhow::Result<Traced> {
    let running = run.with(trace).start()?;
    let mut tracer = Tracer {
        case,
        processes: Processes::new(running.pid(), stage),
        calls: Vec::new(),
        failing: None,
        was_hurt: false,
        hangs: Vec::new(),
    };
    tracer.until_it_ended(&running)?;
    let ended = running.finish()?;
    tracer.until_nobody_is_left()?;
    Ok(Traced {
        ended,
        calls: tracer.calls,
        was_hurt: tracer.was_hurt,
        hangs: tracer.hangs,
    })
}

impl Tracer<'_> {
    /// Until the stage's parent has ended, which is for others to wait for.
    fn until_it_ended(&mut self, running: &Running) -> anyhow::Result<()> {
        let alarm = Alarm::new()?;
        // It has stopped at its execve(2).
        let stopped = WaitPidFlag::WSTOPPED | WaitPidFlag::__WALL;
        let mut deadline = Instant::now() + BOUND;
        while let Err(errno) = waitid(Id::Pid(running.pid()), stopped) {
            // The alarm, on a busy machine.
            let goes_on = errno == Errno::EINTR && Instant::now() < deadline;
            ensure!(goes_on, "the stage does not start: {}", errno.desc());
        }
        unless_it_ended(ptrace::setoptions(running.pid(), events()))?;
        self.let_on(running.pid(), None)?;
        deadline = Instant::now() + BOUND;
        loop {
            match next()? {
                Some(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..))
                    if pid == running.pid() =>
                {
                    break;
                }
                Some(status) => self.go_on(status)?,
                None => {}
            }
            self.check("the run", &mut deadline)?;
        }
        drop(alarm);
        Ok(())
    }

    /// Until all other processes have ended, too.
    fn until_nobody_is_left(&mut self) -> anyhow::Result<()> {
        let alarm = Alarm::new()?;
        let mut deadline = Instant::now() + REST;
        loop {
            match next() {
                Err(Errno::ECHILD) => break,
                Ok(Some(status)) => self.go_on(status)?,
                Ok(None) => {}
                Err(errno) => return Err(errno).context("wait for the traced processes"),
            }
            self.check("what it left", &mut deadline)?;
        }
        drop(alarm);
        Ok(())
    }

    /// Ends all processes when the time is up.
    fn check(&mut self, what: &str, deadline: &mut Instant) -> anyhow::Result<()> {
        if Instant::now() < *deadline {
            return Ok(());
        }
        if !self.hangs.is_empty() && self.hangs.iter().any(|hang| hang.starts_with(what)) {
            bail!("SIGKILL does not end {what}");
        }
        let left: Vec<String> = self.processes.all().into_iter().map(described).collect();
        self.hangs.push(format!("{what} hangs: {}", left.join(", ")));
        for pid in self.processes.all() {
            let _ = kill(pid, Signal::SIGKILL); // it may have ended meanwhile
        }
        *deadline += REST;
        Ok(())
    }

    /// Looks at what a process does, and lets it go on.
    fn go_on(&mut self, status: WaitStatus) -> anyhow::Result<()> {
        let Some(pid) = status.pid() else {
            return Ok(());
        };
        if let WaitStatus::Exited(..) | WaitStatus::Signaled(..) = status {
            // Until its tracer has waited for it, its parent cannot.
            take(pid, WaitPidFlag::WEXITED)?;
            self.processes.remove(pid);
            return Ok(());
        }
        let status = take(pid, WaitPidFlag::WSTOPPED)?;
        if !self.processes.has(pid) && !self.was_hurt {
            self.processes.early.insert(pid);
            return Ok(());
        }
        let mut signal = None;
        match status {
            WaitStatus::StillAlive => return Ok(()), // it was killed meanwhile
            WaitStatus::PtraceSyscall(_) => self.at_call(pid)?,
            WaitStatus::PtraceEvent(_, _, EXEC) => self.processes.executed(pid, SHELL),
            WaitStatus::PtraceEvent(_, arrived, 0) => signal = Some(arrived),
            WaitStatus::PtraceEvent(..) => self.at_clone(pid)?,
            // A new process begins with a stop.
            WaitStatus::Stopped(_, Signal::SIGSTOP) => {}
            WaitStatus::Stopped(_, arrived) => signal = Some(arrived),
            _ => {}
        }
        self.let_on(pid, signal)
    }

    fn at_clone(&mut self, parent: Pid) -> anyhow::Result<()> {
        let Ok(child) = ptrace::getevent(parent) else {
            return Ok(()); // it was killed meanwhile
        };
        let child = Pid::from_raw(child.try_into()?);
        if self.processes.add(parent, child) {
            self.let_on(child, None)?;
        }
        Ok(())
    }

    fn at_call(&mut self, pid: Pid) -> anyhow::Result<()> {
        let Ok(info) = ptrace::syscall_info(pid) else {
            return Ok(()); // it was killed meanwhile
        };
        if let Some((_, errno)) = self.failing.take_if(|(whose, _)| *whose == pid) {
            registers::return_error(pid, errno)?;
            self.hurt()?;
        } else if info.op == libc::PTRACE_SYSCALL_INFO_ENTRY && !self.was_hurt {
            // SAFETY: `op` says that this is the field of the union that was written.
            let entry = unsafe { info.u.entry };
            if let Some(begun) = self.processes.begins(pid, entry.nr, entry.args) {
                self.calls.push(begun);
                self.hurt_at(pid, begun)?;
            }
        }
        Ok(())
    }

    fn hurt_at(&mut self, pid: Pid, begun: Begun) -> anyhow::Result<()> {
        let Some(case) = self.case.filter(|case| case.role == begun.role) else {
            return Ok(());
        };
        let Moment::Call(number) = case.moment else {
            bail!("a time is no call: {case}");
        };
        let is_such = |call: &Call| begun.call.is_some_and(|begun| begun.name == call.name);
        match case.fault {
            Fault::Kill if begun.number == number => {
                kill(pid, Signal::SIGKILL)?;
                self.hurt()?;
            }
            Fault::Fail(call, errno)
                if self.failing.is_none() && begun.number >= number && is_such(call) =>
            {
                registers::make_another(pid)?;
                self.failing = Some((pid, errno));
            }
            _ => {}
        }
        Ok(())
    }

    /// From now on no call is looked at.
    fn hurt(&mut self) -> anyhow::Result<()> {
        self.was_hurt = true;
        for pid in std::mem::take(&mut self.processes.early) {
            self.let_on(pid, None)?;
        }
        Ok(())
    }

    fn let_on(&self, pid: Pid, signal: Option<Signal>) -> anyhow::Result<()> {
        unless_it_ended(match self.was_hurt {
            true => ptrace::cont(pid, signal),
            false => ptrace::syscall(pid, signal),
        })
    }
}

/// What a process does next; it is looked at, not taken. `None`: nothing for a moment.
fn next() -> nix::Result<Option<WaitStatus>> {
    let any = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED;
    match waitid(Id::All, any | WaitPidFlag::WNOWAIT | WaitPidFlag::__WALL) {
        Err(Errno::EINTR) => Ok(None),
        status => status.map(Some),
    }
}

fn take(pid: Pid, what: WaitPidFlag) -> anyhow::Result<WaitStatus> {
    let now = WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
    match waitid(Id::Pid(pid), what | now) {
        Err(Errno::ECHILD) => Ok(WaitStatus::StillAlive),
        status => status.with_context(|| format!("wait for {pid}")),
    }
}

/// A process, for a person: `12 (09-aufs) in do_poll`.
fn described(pid: Pid) -> String {
    let read = |file| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let (name, place) = (read("comm"), read("wchan"));
    format!("{pid} ({}) in {}", name.trim(), place.trim())
}

/// Whether this process may trace a child: a run without a fault.
///
/// # Errors
///
/// As [`follow`].
pub fn calls(run: Run, stage: u8) -> anyhow::Result<Vec<Begun>> {
    wait::check()?;
    let traced = follow(run, stage, None)?;
    if let Some(hang) = traced.hangs.first() {
        bail!("without a fault, {hang}");
    }
    traced.ended.must_end_with(crate::stages::STATUS)?;
    Ok(traced.calls)
}
