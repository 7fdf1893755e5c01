// ANCHOR: lines
//! How does an `exec` get no more than `run` gave?
//!
//! setns(2) brings neither capabilities nor filter along: a process that joins a user namespace
//! has all capabilities there. So `run` writes down what it gave, as lines of the container's
//! entry, and `exec` reads them. The filter stands there as it was compiled: the profile's file
//! may have changed since.
//!
//! ```text
//! limits nofile=1024:4096 core=0:0
//! oom_score_adj 500
//! seccomp 2000000004000000…
//! capabilities 00000000a80425fb
//! ```
//!
//! The last line has a fixed length: where it is whole, so are the others.

use std::fs;

use anyhow::{Context, ensure};
use nix::unistd::Pid;

use crate::{CapabilitySet, Filter, Limits, Privileges, limits::score};

/// What the lines begin with.
const OWN: [&str; 4] = ["limits ", "oom_score_adj ", "seccomp ", "capabilities "];

impl Privileges {
    /// For a process that no entry is about: no capability that it cannot have, no higher limit,
    /// and if it has a filter, the default one (the kernel shows a filter only to root of the
    /// machine).
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn of_process(pid: Pid) -> anyhow::Result<Privileges> {
        let file = format!("/proc/{pid}/status");
        let status = fs::read(&file).with_context(|| format!("read {file}"))?;
        let status = String::from_utf8_lossy(&status); // a program's name may be no UTF-8
        let mode = status.lines().find_map(|line| line.strip_prefix("Seccomp:"));
        let capabilities = CapabilitySet::of_process(pid)?;
        Ok(Privileges {
            capabilities,
            filter: match mode.map(str::trim) {
                None | Some("0") => None,
                Some(_) => Filter::of_default(capabilities)?,
            },
            limits: Limits::of_process(pid)?,
        })
    }

    /// As lines `name value` of an entry.
    pub fn to_lines(&self) -> String {
        let filter = match &self.filter {
            None => "unconfined".to_owned(),
            Some(filter) => filter.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let limits: Vec<String> = self.limits.limits.iter().map(ToString::to_string).collect();
        let (limits, capabilities) = (limits.join(" "), self.capabilities.bits());
        let score = self.limits.oom_score_adj.map_or("-".into(), |score| score.to_string());
        format!(
            "limits {limits}\noom_score_adj {score}\nseccomp {filter}\n\
             capabilities {capabilities:016x}\n"
        )
    }

    /// Reads them back from an entry, which may have other lines too.
    ///
    /// # Errors
    ///
    /// A line is missing, or is not what was written.
    pub fn from_lines(text: &str) -> anyhow::Result<Privileges> {
        let value = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            let found = lines.find(|(other, _)| *other == name);
            found
                .map(|(_, value)| value)
                .with_context(|| format!("there is no line {name:?}"))
        };
        let digits = value("capabilities")?;
        ensure!(digits.len() == 16, "capabilities: it is cut short");
        let bits = u64::from_str_radix(digits, 16).context("capabilities")?;
        let filter = match value("seccomp")? {
            "unconfined" => None,
            digits => Some(Filter::from_bytes(&bytes(digits)?)?),
        };
        let limits = value("limits")?.split_whitespace().map(|limit| {
            limit.parse().map_err(|error| anyhow::anyhow!("limits: {limit:?}: {error}"))
        });
        let oom_score_adj = match value("oom_score_adj")? {
            "-" => None,
            number => Some(score(number.parse().context("oom_score_adj")?)?),
        };
        let privileges = Privileges {
            capabilities: CapabilitySet::from_bits(bits),
            filter,
            limits: Limits {
                limits: limits.collect::<anyhow::Result<_>>()?,
                oom_score_adj,
            },
        };
        let is_own = |line: &&str| OWN.iter().any(|own| line.starts_with(own));
        let own: String = text.split_inclusive('\n').filter(is_own).collect();
        ensure!(own == privileges.to_lines(), "its lines are not as `run` writes them");
        Ok(privileges)
    }
}

fn bytes(digits: &str) -> anyhow::Result<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    ensure!(rest.is_empty(), "seccomp: it is cut short");
    let byte = |pair: &[u8; 2]| {
        let pair = std::str::from_utf8(pair).context("seccomp")?;
        u8::from_str_radix(pair, 16).context("seccomp")
    };
    pairs.iter().map(byte).collect()
}
// ANCHOR_END: lines

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use ch08_pipe_init::wire::Bytes;

    use super::*;

    fn all_kinds() -> Vec<Privileges> {
        let limits = |texts: &[&str], oom_score_adj| Limits {
            limits: texts.iter().map(|text| text.parse().unwrap()).collect(),
            oom_score_adj,
        };
        let docker = CapabilitySet::of_docker();
        vec![
            Privileges {
                capabilities: docker,
                filter: Filter::of_default(docker).unwrap(),
                limits: limits(&["nofile=10:20", "core=0:unlimited"], Some(-500)),
            },
            Privileges {
                capabilities: CapabilitySet::NONE,
                filter: None,
                limits: limits(&[], None),
            },
        ]
    }

    #[test]
    fn an_entry_gives_back_what_was_written() {
        for privileges in all_kinds() {
            let entry = format!("run 1 2 3\n{}container 1 2 3\n", privileges.to_lines());
            assert_eq!(Privileges::from_lines(&entry).unwrap(), privileges);
            let lines = privileges.to_lines();
            for length in 0..lines.len() - 1 {
                let cut = Privileges::from_lines(&lines[..length]);
                assert!(cut.is_err(), "{length} bytes of {}", lines.len());
            }
        }
    }

    #[test]
    fn a_line_that_was_not_written_so_is_an_error() {
        let lines = |score: &str, filter: &str, capabilities: &str| {
            let lines = format!(
                "limits \noom_score_adj {score}\nseccomp {filter}\ncapabilities {capabilities}\n"
            );
            Privileges::from_lines(&lines)
        };
        let (filter, capabilities) = ("060000000000ff7f", "00000000a80425fb");
        assert!(lines("500", filter, capabilities).is_ok());
        for (score, filter, capabilities) in [
            ("1001", filter, capabilities),
            ("+500", filter, capabilities),
            ("500", "0600000000+0ff7f", capabilities),
            ("500", "060000000000FF7F", capabilities),
            ("500", filter, "+0000000a80425fb"),
        ] {
            assert!(lines(score, filter, capabilities).is_err(), "{score} {filter} {capabilities}");
        }
        let twice = format!("{}{}", all_kinds()[0].to_lines(), all_kinds()[1].to_lines());
        assert!(Privileges::from_lines(&twice).is_err());
    }

    #[test]
    fn a_message_gives_back_what_was_sent() {
        for privileges in all_kinds() {
            let mut bytes = Vec::new();
            privileges.encode(&mut bytes);
            let mut read = Bytes(&bytes);
            assert_eq!(Privileges::decode(&mut read).unwrap(), privileges);
            read.end().unwrap();
            for length in 0..bytes.len() {
                let cut = Privileges::decode(&mut Bytes(&bytes[..length]));
                assert!(cut.is_err(), "{length} bytes of {}", bytes.len());
            }
        }
    }

    #[test]
    fn what_no_entry_is_about_has_no_more_than_its_bounding_set() {
        let own = Privileges::of_process(Pid::this()).unwrap();
        assert_eq!(own.capabilities, CapabilitySet::of_process(Pid::this()).unwrap());
        let less = own.within(CapabilitySet::NONE);
        assert_eq!(less.capabilities, CapabilitySet::NONE);
    }
}
