// ANCHOR: resources
//! What can be limited, and how does a person write it?

use std::{fmt, str::FromStr};

/// The limits of a container; what is `None` stays unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// At most this much memory; swap counts too.
    pub memory: Option<Size>,
    /// Its share of the processor when others want it too: 2 to 262144, usual is 1024.
    pub cpu_shares: Option<CpuShares>,
    /// The processors that it may run on.
    pub cpuset_cpus: Option<CpuList>,
}

impl Resources {
    /// Whether nothing is limited: then no group is needed.
    pub fn is_empty(&self) -> bool {
        *self == Resources::default()
    }
}

/// A number of bytes, written as `100m`: with k, m or g (1024, 1024², 1024³) or plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// The kernel counts memory in pages, and rounds a limit down to whole ones.
const PAGE: u64 = 4096;
/// What v1 takes for "no limit": the most that fits into a signed long, in pages.
const UNLIMITED: u64 = i64::MAX as u64 / PAGE * PAGE;

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" => 1 << 10,
            "m" => 1 << 20,
            "g" => 1 << 30,
            unit => return Err(format!("{unit:?} is no unit: k, m or g")),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("a size is a whole number with k, m or g, such as 100m".into());
        }
        let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        match bytes {
            None => Err("more bytes than a number can count".into()),
            Some(bytes) if bytes >= UNLIMITED => {
                Err(format!("{bytes} bytes is what the kernel takes for no limit"))
            }
            Some(bytes) if bytes < PAGE => Err(format!(
                "{bytes} bytes is less than a page ({PAGE}), and the kernel counts in pages"
            )),
            Some(bytes) => Ok(Size(bytes)),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Relative weight on the processor, as cgroup v1 has it: 2 to 262144.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuShares(u64);

impl CpuShares {
    const LEAST: u64 = 2;
    const MOST: u64 = 262_144;

    /// For v1's `cpu.shares`.
    pub fn shares(self) -> u64 {
        self.0
    }

    /// For v2's `cpu.weight`, 1 to 10000, usual is 100: the curve of runc since 1.4
    /// (opencontainers/cgroups), on which the least, the usual and the most of v1 meet
    /// those of v2.
    pub fn weight(self) -> u64 {
        let l = (self.0 as f64).log2();
        let exponent = (l * l + 125.0 * l) / 612.0 - 7.0 / 34.0;
        // Rounded up, but not for the last digits of a float: 100.00000000000001 is 100.
        (10f64.powf(exponent) - 1e-9).ceil() as u64
    }
}

impl FromStr for CpuShares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(shares @ Self::LEAST..=Self::MOST) => Ok(CpuShares(shares)),
            _ => Err(format!("shares are a number from {} to {}", Self::LEAST, Self::MOST)),
        }
    }
}

/// A list of processors as the kernel writes it, such as `0-2,7` (cpuset(7), "List format").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuList(String);

impl FromStr for CpuList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = |range: &str| -> Option<bool> {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| {
                text.bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then(|| text.parse::<u32>().ok())?
            };
            Some(number(first)? <= number(last)?)
        };
        if text.split(',').all(|part| range(part) == Some(true)) {
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
// ANCHOR_END: resources

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_or_none() {
        assert_eq!("100m".parse(), Ok(Size(104_857_600)));
        assert_eq!("4k".parse(), Ok(Size(4096)));
        assert_eq!("1G".parse(), Ok(Size(1 << 30)));
        assert_eq!("5000".parse(), Ok(Size(5000)));
        for wrong in [
            "",
            "m",
            "0",
            "0m",
            "-1",
            "-100m",
            "1.5g",
            "100x",
            "1mm",
            "lots",
            "4095",
            "99999999999g",
            "9223372036854775807",
            "18446744073709551616",
            " 1m",
            "1 m",
        ] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_ends_and_the_usual_of_both_versions_meet() {
        let weight = |shares: &str| shares.parse::<CpuShares>().unwrap().weight();
        assert_eq!([weight("2"), weight("1024"), weight("262144")], [1, 100, 10000]);
        assert!(weight("512") < 100 && weight("2048") > 100);
        for wrong in ["", "0", "1", "262145", "-5", "half"] {
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
