// ANCHOR: cpu
//! How is the processor shared?
//!
//! Sources: cgroup-v2.rst, "CPU Interface Files" and "Cpuset Interface Files"; cpuset(7).

use std::{fmt, fs, str::FromStr};

use anyhow::Context;

use crate::{group::Group, hierarchy::Version};

/// A relative weight on the processor, as on cgroup v1: 2 to 262144, the default is 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuShares(u64);

impl CpuShares {
    const LEAST: u64 = 2;
    const MOST: u64 = 262_144;

    /// The `cpu.weight` of version 2: 1 to 10000, the default is 100. On this curve, runc's since
    /// 1.4 (opencontainers/cgroups), the least, the default and the most of both versions meet.
    pub fn weight(self) -> u64 {
        // The crate libm's: for std's, each start of the program would load the C library's.
        let l = libm::log2(self.0 as f64);
        let exponent = (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0;
        // Rounded up, but not for the last digits of a float: 100.00000000000001 is 100.
        (libm::pow(10.0, exponent) - 1e-9).ceil() as u64
    }

    /// Sets them, and returns the knob.
    ///
    /// # Errors
    ///
    /// The kernel refuses them.
    pub fn set(self, group: &Group) -> anyhow::Result<&'static str> {
        let (knob, value) = match group.version {
            Version::V2 => ("cpu.weight", self.weight()),
            Version::V1 => ("cpu.shares", self.0),
        };
        group.set(knob, &value.to_string()).map(|()| knob)
    }
}

impl FromStr for CpuShares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(shares @ Self::LEAST..=Self::MOST) if !text.starts_with('+') => {
                Ok(CpuShares(shares))
            }
            _ => Err(format!("CPU shares are a number from {} to {}", Self::LEAST, Self::MOST)),
        }
    }
}

/// A list of processors as the kernel writes it, such as `0-2,7` (cpuset(7), "List format").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuList(String);

impl CpuList {
    /// Sets it, and returns the knob.
    ///
    /// # Errors
    ///
    /// There is no such processor, or the group above does not have it.
    pub fn set(&self, group: &Group) -> anyhow::Result<&'static str> {
        let knob = "cpuset.cpus";
        group
            .set(knob, &self.0)
            .context("the machine has no such processor, or the group above may not use it")?;
        if group.version == Version::V1 {
            // A new v1 group has no memory nodes either, and takes no process before it has.
            let parent = group.folder().parent().context("a group is in a folder")?;
            let file = parent.join("cpuset.mems");
            let nodes =
                fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            group.set("cpuset.mems", nodes.trim())?;
        }
        Ok(knob)
    }
}

impl FromStr for CpuList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| -> Option<u32> {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
        };
        let is_range = |range: &str| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            number(first).is_some_and(|first| number(last).is_some_and(|last| first <= last))
        };
        if text.split(',').all(is_range) {
            Ok(CpuList(text.into()))
        } else {
            Err("a list of processors is numbers and ranges, such as 0-2,7".into())
        }
    }
}

impl fmt::Display for CpuList {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}
// ANCHOR_END: cpu

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_and_the_usual_of_both_versions_meet() {
        let weight = |shares: &str| shares.parse::<CpuShares>().unwrap().weight();
        assert_eq!([weight("2"), weight("1024"), weight("262144")], [1, 100, 10000]);
        assert!(weight("512") < 100 && weight("2048") > 100);
        for wrong in ["", "0", "1", "262145", "-5", "+5", "half"] {
            assert!(wrong.parse::<CpuShares>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_list_of_processors_is_numbers_and_ranges() {
        for right in ["0", "0-1", "0,2,4-7"] {
            assert!(right.parse::<CpuList>().is_ok(), "{right:?}");
        }
        for wrong in ["", ",", "0-", "-1", "1-0", "a", "0,,1", "0 1"] {
            assert!(wrong.parse::<CpuList>().is_err(), "{wrong:?}");
        }
    }
}
