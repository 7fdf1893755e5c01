// ANCHOR: lines
//! How does an `exec` get no more than `run` gave?
//!
//! setns(2) brings neither capabilities nor filter along: a process that joins a user namespace
//! has all capabilities there. So `run` writes down what it gave, as lines of the container's
//! entry, and `exec` reads them. The filter stands there as it was compiled: the profile's file
//! may have changed since.
//!
//! ```text
//! capabilities 00000000a80425fb
//! seccomp 2000000004000000…
//! limits nofile=1024:4096 core=0:0
//! ```

use anyhow::{Context, ensure};

use crate::{CapabilitySet, Filter, Limits, Privileges};

impl Privileges {
    /// As lines `name value` of an entry. Without oom_score_adj: `run` has set it for PID 1, and
    /// `exec` has an option of its own.
    pub fn to_lines(&self) -> String {
        let filter = match &self.filter {
            None => "unconfined".to_owned(),
            Some(filter) => filter.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let limits: Vec<String> = self.limits.limits.iter().map(ToString::to_string).collect();
        let capabilities = self.capabilities.bits();
        format!(
            "capabilities {capabilities:016x}\nseccomp {filter}\nlimits {}\n",
            limits.join(" ")
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
        let bits = u64::from_str_radix(value("capabilities")?, 16).context("capabilities")?;
        let filter = match value("seccomp")? {
            "unconfined" => None,
            digits => Some(Filter::from_bytes(&bytes(digits)?)?),
        };
        let limits = value("limits")?.split_whitespace().map(|limit| {
            limit.parse().map_err(|error| anyhow::anyhow!("limits: {limit:?}: {error}"))
        });
        Ok(Privileges {
            capabilities: CapabilitySet::from_bits(bits),
            filter,
            limits: Limits {
                limits: limits.collect::<anyhow::Result<_>>()?,
                oom_score_adj: None,
            },
        })
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
