// ANCHOR: limits
//! How much may a process use, and who is killed first?
//!
//! Without an option nothing changes: the container has your limits. They hold inside: to raise a
//! hard limit, or to lower oom_score_adj below the value that root last set, the kernel asks for
//! CAP_SYS_RESOURCE in the first user namespace, which root inside does not have. So
//! [`Limits::grant`] does both from outside, by pid, and only for root of the machine.
//! [`Limits::apply`] then sets the limits inside, last: with few descriptors the runtime itself
//! could not start the container.
//!
//! There is no default against core dumps. `--ulimit core=0` forbids files. It does not keep the
//! kernel from starting the program that core_pattern may name after `|`: see core(5).
//!
//! Source: getrlimit(2), proc_pid_oom_score_adj(5), core(5).

use std::{fmt, fs, ops::RangeInclusive, str::FromStr};

use anyhow::{Context, anyhow, ensure};
use ch08_pipe_init::wire::{Bytes, put_list, put_number};
use lab::info;
use nix::unistd::Pid;
use rustix::{
    io::Errno,
    process::{Resource, Rlimit, getrlimit, prlimit, setrlimit},
};

/// The names of the limits, in the order of /proc/PID/limits.
const NAMES: [(&str, Resource); 16] = [
    ("cpu", Resource::Cpu),
    ("fsize", Resource::Fsize),
    ("data", Resource::Data),
    ("stack", Resource::Stack),
    ("core", Resource::Core),
    ("rss", Resource::Rss),
    ("nproc", Resource::Nproc),
    ("nofile", Resource::Nofile),
    ("memlock", Resource::Memlock),
    ("as", Resource::As),
    ("locks", Resource::Locks),
    ("sigpending", Resource::Sigpending),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
];

/// The values of oom_score_adj.
pub(crate) const SCORES: RangeInclusive<i32> = -1000..=1000;

/// Where the amounts begin in a line of /proc/PID/limits.
const COLUMNS: usize = 26;

/// One limit, `NAME=SOFT:HARD` or `NAME=BOTH`. `None` is unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its place in `NAMES`.
    index: usize,
    soft: Option<u64>,
    hard: Option<u64>,
}

/// What `--ulimit` and `--oom-score-adj` ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The limits; of two with one name the last counts.
    pub limits: Vec<Limit>,
    /// From -1000, never killed for want of memory, to 1000, killed first.
    pub oom_score_adj: Option<i32>,
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        let (name, value) = text.split_once('=').ok_or("write NAME=SOFT:HARD")?;
        let index = NAMES.iter().position(|(other, _)| *other == name).ok_or_else(|| {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("there is no limit {name:?}: there are {}", names.join(", "))
        })?;
        let (soft, hard) = value.split_once(':').unwrap_or((value, value));
        let (soft, hard) = (amount(soft)?, amount(hard)?);
        if soft.unwrap_or(u64::MAX) > hard.unwrap_or(u64::MAX) {
            return Err("the soft limit is above the hard limit".into());
        }
        Ok(Limit { index, soft, hard })
    }
}

fn amount(text: &str) -> Result<Option<u64>, String> {
    match text {
        "unlimited" | "-1" => Ok(None),
        _ => match text.parse() {
            Ok(number) if number < u64::MAX && !text.starts_with('+') => Ok(Some(number)),
            _ => Err(format!("{text:?} is neither a number nor \"unlimited\"")),
        },
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let shown = |amount: Option<u64>| amount.map_or("unlimited".into(), |n| n.to_string());
        write!(f, "{}={}:{}", NAMES[self.index].0, shown(self.soft), shown(self.hard))
    }
}
// ANCHOR_END: limits

// ANCHOR: apply
impl Limits {
    /// Where another process has less than this one.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn of_process(pid: Pid) -> anyhow::Result<Limits> {
        let file = format!("/proc/{pid}/limits");
        let text = fs::read_to_string(&file).with_context(|| format!("read {file}"))?;
        let mut limits = Vec::new();
        for (index, line) in text.lines().skip(1).take(NAMES.len()).enumerate() {
            let mut columns = line.get(COLUMNS..).unwrap_or_default().split_whitespace();
            let mut next = || amount(columns.next().unwrap_or_default());
            let theirs = next().and_then(|soft| Ok((soft, next()?)));
            let (soft, hard) = theirs.map_err(|error| anyhow!("{file}: {error}"))?;
            let own = getrlimit(NAMES[index].1);
            let lower = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
            let (soft, hard) = (lower(soft, own.current), lower(hard, own.maximum));
            if (soft, hard) != (own.current, own.maximum) {
                limits.push(Limit { index, soft, hard });
            }
        }
        Ok(Limits {
            limits,
            oom_score_adj: None,
        })
    }

    /// Outside, before the process goes on: what only root of the machine may do for it.
    ///
    /// # Errors
    ///
    /// EPERM, EACCES: this process does not have CAP_SYS_RESOURCE.
    pub fn grant(&self, pid: Pid) -> anyhow::Result<()> {
        for limit in &self.limits {
            let (_, resource) = NAMES[limit.index];
            let own = getrlimit(resource);
            if limit.hard.unwrap_or(u64::MAX) > own.maximum.unwrap_or(u64::MAX) {
                let raised = Rlimit {
                    current: own.current,
                    maximum: limit.hard,
                };
                let process = rustix::process::Pid::from_raw(pid.as_raw());
                prlimit(process, resource, raised).map_err(|errno| limit.refused(errno, &own))?;
            }
        }
        if let Some(score) = self.oom_score_adj {
            let file = format!("/proc/{pid}/oom_score_adj");
            fs::write(&file, score.to_string()).with_context(|| {
                format!("write {score} to {file} (lower than it is: root of the machine only)")
            })?;
            info!("oom_score_adj of {pid} is {score}");
        }
        Ok(())
    }

    /// Inside: sets the limits of this process.
    ///
    /// # Errors
    ///
    /// EPERM: a hard limit is above the one that this process has.
    pub fn apply(&self) -> anyhow::Result<()> {
        for limit in &self.limits {
            let (_, resource) = NAMES[limit.index];
            let wanted = Rlimit {
                current: limit.soft,
                maximum: limit.hard,
            };
            let own = getrlimit(resource);
            setrlimit(resource, wanted).map_err(|errno| limit.refused(errno, &own))?;
        }
        Ok(())
    }

    /// Writes it to the end of `rest`.
    pub fn encode(&self, rest: &mut Vec<u8>) {
        put_list(rest, &self.limits, |to, limit| {
            put_number(to, limit.index as u32);
            for amount in [limit.soft, limit.hard] {
                to.extend(amount.unwrap_or(u64::MAX).to_le_bytes());
            }
        });
        put_list(rest, self.oom_score_adj.as_slice(), |to, score| put_number(to, *score as u32));
    }

    /// Reads it from the front of `rest`.
    ///
    /// # Errors
    ///
    /// It is cut short, or has a limit that is unknown.
    pub fn decode(rest: &mut Bytes) -> anyhow::Result<Limits> {
        let amount = |number| (number != u64::MAX).then_some(number);
        Ok(Limits {
            limits: rest.read_list(|from| {
                let index = from.read_u32()? as usize;
                NAMES.get(index).context("a limit is unknown")?;
                Ok(Limit {
                    index,
                    soft: amount(from.read_u64()?),
                    hard: amount(from.read_u64()?),
                })
            })?,
            oom_score_adj: rest.read_optional(|from| score(from.read_u32()? as i32))?,
        })
    }
}

/// A value of oom_score_adj, if it is one.
pub(crate) fn score(number: i32) -> anyhow::Result<i32> {
    ensure!(
        SCORES.contains(&number),
        "oom_score_adj is from -1000 to 1000, and this is {number}"
    );
    Ok(number)
}

impl Limit {
    fn refused(&self, errno: Errno, own: &Rlimit) -> anyhow::Error {
        let hard = own.maximum.map_or("unlimited".into(), |most| most.to_string());
        let way_out = match (errno, NAMES[self.index].1) {
            (Errno::PERM, Resource::Nofile) => format!(
                ": the hard limit is {hard}, which only root of the machine can raise, up to \
                 /proc/sys/fs/nr_open"
            ),
            (Errno::PERM, _) => {
                format!(": the hard limit is {hard}, which only root of the machine can raise")
            }
            _ => String::new(),
        };
        anyhow!("setrlimit {self}: {errno}{way_out}")
    }
}
// ANCHOR_END: apply

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_kernels() {
        let text = fs::read_to_string("/proc/self/limits").unwrap();
        let is = |name: &str, words: &str| {
            let index = NAMES.iter().position(|(other, _)| *other == name).unwrap();
            let line = text.lines().nth(index + 1).unwrap();
            assert_eq!(line[..COLUMNS].trim(), words);
        };
        is("cpu", "Max cpu time");
        is("nofile", "Max open files");
        is("as", "Max address space");
        is("rttime", "Max realtime timeout");
        assert_eq!(Limits::of_process(Pid::this()).unwrap(), Limits::default());
    }

    #[test]
    fn a_limit_is_read_and_shown() {
        for (text, shown) in [
            ("nofile=1024", "nofile=1024:1024"),
            ("core=0:unlimited", "core=0:unlimited"),
            ("as=-1", "as=unlimited:unlimited"),
        ] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(limit.to_string(), shown);
            assert_eq!(shown.parse(), Ok(limit));
        }
        for wrong in ["", "nofile", "nofile=", "nofile=x", "files=1", "core=2:1", "core=+1"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong:?}");
        }
        assert!("core=1:2:3".parse::<Limit>().is_err());
        assert!("core=unlimited:1".parse::<Limit>().is_err());
        assert!(format!("core={}", u64::MAX).parse::<Limit>().is_err());
    }
}
