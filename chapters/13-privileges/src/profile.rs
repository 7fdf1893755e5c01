// ANCHOR: profile
//! Which system calls does a profile let through?
//!
//! A profile is JSON in the form of the OCI runtime specification (config-linux.md, "Seccomp").
//! The default is data, too: `default.json`. It lets through what Docker lets through
//! (moby/profiles, seccomp/default.json of 2026-06-30). Podman's (containers/common,
//! pkg/seccomp/seccomp.json) differs in details: it lets mount(2) and unshare(2) through.
//!
//! Two fields are this book's own: an item with `needs` counts only if the container keeps that
//! capability, an item with `without` only if it does not.

use std::{collections::HashMap, env::consts::ARCH};

use anyhow::{Context, anyhow, bail, ensure};
use seccompiler::{SeccompAction, SeccompCmpArgLen::Qword, SeccompCmpOp, SeccompCondition};
use tinyjson::{InnerAsRef, JsonValue};

use crate::{
    CapabilitySet,
    capabilities::number,
    syscalls::{Lookup, NEWEST, lookup},
};

/// The default profile.
pub const DEFAULT: &str = include_str!("default.json");

/// How deep a profile may be nested: the reader of JSON calls itself for each level.
const DEEPEST: usize = 16;

/// What a profile says, for the capabilities of one container.
#[derive(Debug)]
pub struct Profile {
    /// What happens to a call that no item is about.
    pub default: SeccompAction,
    /// The items that count.
    pub items: Vec<Item>,
}

/// What happens to some calls.
#[derive(Debug)]
pub struct Item {
    /// The numbers of the calls.
    pub calls: Vec<i64>,
    /// What happens to them.
    pub action: SeccompAction,
    /// If all these hold; without any: always.
    pub conditions: Vec<SeccompCondition>,
}

/// What to do with a name that only another architecture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Leave it out: the profile is for several architectures.
    Skip,
    /// It is an error.
    Refuse,
}

type Object = HashMap<String, JsonValue>;

impl Profile {
    /// Reads a profile. All of it must make sense: a filter with a hole is worse than none.
    ///
    /// # Errors
    ///
    /// It is not JSON, has a field, an action, an operator, a system call or an architecture that
    /// is unknown here, or asks for something that the filter cannot do.
    pub fn parse(text: &str, kept: CapabilitySet, foreign: Foreign) -> anyhow::Result<Profile> {
        let colons = require_shallow(text)?;
        let json: JsonValue = text.parse().map_err(|error| anyhow!("it is not JSON: {error}"))?;
        ensure!(number_of_fields(&json) == colons, "an object has a field twice");
        let root = Fields::of(&json, "the profile")?;
        root.allow(&["comment", "defaultAction", "defaultErrnoRet", "architectures", "syscalls"])?;
        require_architecture(&root)?;
        let default = action(&root, "defaultAction", "defaultErrnoRet")?;
        let mut items = Vec::new();
        for (index, json) in root.list("syscalls")?.iter().enumerate() {
            let what = format!("syscalls[{index}]");
            let item = Fields::of(json, &what).and_then(|fields| item(&fields, kept, foreign));
            items.extend(item.with_context(|| what)?);
        }
        Ok(Profile { default, items })
    }
}

/// `None` if the item does not count for these capabilities.
fn item(fields: &Fields, kept: CapabilitySet, foreign: Foreign) -> anyhow::Result<Option<Item>> {
    fields.allow(&["comment", "names", "action", "errnoRet", "args", "needs", "without"])?;
    let mut counts = true;
    for (field, expected) in [("needs", true), ("without", false)] {
        if let Some(name) = fields.optional::<String>(field)? {
            number(name).with_context(|| format!("{field}: there is no capability {name:?}"))?;
            counts &= kept.has(name) == expected;
        }
    }
    let mut calls = Vec::new();
    let names = fields.list("names")?;
    ensure!(!names.is_empty(), "names is empty");
    for name in names {
        let name: &String = name.get().context("names has something that is no text")?;
        match (lookup(name), foreign) {
            (Lookup::Number(number), _) => calls.push(number),
            (Lookup::Elsewhere, Foreign::Skip) => {}
            (Lookup::Elsewhere, Foreign::Refuse) => {
                bail!("{ARCH} has no system call {name:?}: take it out")
            }
            (Lookup::Unknown, _) => {
                bail!("there is no system call {name:?} up to {NEWEST}")
            }
        }
    }
    let mut seen = Vec::new();
    let conditions = fields.list("args")?.iter().enumerate().map(|(index, json)| {
        let what = format!("args[{index}]");
        Fields::of(json, &what)
            .and_then(|fields| condition(&fields, &mut seen))
            .context(what)
    });
    let (conditions, action) = (
        conditions.collect::<anyhow::Result<_>>()?,
        action(fields, "action", "errnoRet")?,
    );
    Ok((counts && !calls.is_empty()).then_some(Item {
        calls,
        action,
        conditions,
    }))
}

/// All 64 bits of an argument are compared, as other runtimes do. Where the kernel takes 32, a
/// program can set the others: an item that lets EQ through is safe, one that lets GT or NE
/// through is not.
fn condition(fields: &Fields, seen: &mut Vec<u64>) -> anyhow::Result<SeccompCondition> {
    fields.allow(&["index", "value", "valueTwo", "op"])?;
    let index = fields.number("index")?.context("it has no index")?;
    ensure!(index <= 5, "index {index}: a system call has arguments 0 to 5");
    // All must hold, but for runc: there one of two on the same argument is enough.
    ensure!(!seen.contains(&index), "argument {index} has two conditions: write two items");
    seen.push(index);
    let value = fields.number("value")?.context("it has no value")?;
    let second = fields.number("valueTwo")?.unwrap_or(0);
    let name: &String = fields.optional("op")?.context("it has no op")?;
    let (operator, value) = match name.as_str() {
        "SCMP_CMP_NE" => (SeccompCmpOp::Ne, value),
        "SCMP_CMP_LT" => (SeccompCmpOp::Lt, value),
        "SCMP_CMP_LE" => (SeccompCmpOp::Le, value),
        "SCMP_CMP_EQ" => (SeccompCmpOp::Eq, value),
        "SCMP_CMP_GE" => (SeccompCmpOp::Ge, value),
        "SCMP_CMP_GT" => (SeccompCmpOp::Gt, value),
        "SCMP_CMP_MASKED_EQ" => (SeccompCmpOp::MaskedEq(value), second),
        _ => bail!("op {name:?} is unknown: SCMP_CMP_NE, LT, LE, EQ, GE, GT and MASKED_EQ are"),
    };
    Ok(SeccompCondition::new(index as u8, Qword, operator, value)?)
}

/// The action of a field, with the errno of another one; EPERM without one.
fn action(fields: &Fields, field: &str, errno_field: &str) -> anyhow::Result<SeccompAction> {
    let name: &String = fields.optional(field)?.with_context(|| format!("it has no {field}"))?;
    let errno = fields.number(errno_field)?;
    let action = match name.as_str() {
        "SCMP_ACT_ALLOW" => SeccompAction::Allow,
        "SCMP_ACT_LOG" => SeccompAction::Log,
        "SCMP_ACT_TRAP" => SeccompAction::Trap,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => SeccompAction::KillThread,
        "SCMP_ACT_KILL_PROCESS" => SeccompAction::KillProcess,
        "SCMP_ACT_ERRNO" => {
            let errno = errno.unwrap_or(libc::EPERM as u64);
            // 0 would be success: a program would go on as if the call had done its work.
            ensure!((1..=4095).contains(&errno), "{errno_field} {errno}: 1 to 4095 are errors");
            return Ok(SeccompAction::Errno(errno as u32));
        }
        "SCMP_ACT_NOTIFY" => bail!("{field}: SCMP_ACT_NOTIFY needs a process that answers"),
        "SCMP_ACT_TRACE" => bail!("{field}: SCMP_ACT_TRACE needs a tracer, and there is none"),
        _ => bail!("{field}: the action {name:?} is unknown"),
    };
    ensure!(errno.is_none(), "{errno_field} is for SCMP_ACT_ERRNO, and this is {name}");
    Ok(action)
}

/// A filter is for the architecture of this program; calls of others end the process.
fn require_architecture(root: &Fields) -> anyhow::Result<()> {
    let own = format!("SCMP_ARCH_{}", ARCH.to_uppercase());
    let named = root.list("architectures")?;
    let name = |json: &JsonValue| json.get::<String>().cloned().unwrap_or_default();
    if let Some(unknown) = named.iter().find(|json| !KNOWN.contains(&name(json).as_str())) {
        bail!("architectures: {} is unknown", unknown.stringify().unwrap_or_default());
    }
    let has_own = named.is_empty() || named.iter().any(|json| name(json) == own);
    ensure!(has_own, "architectures: {own} is missing");
    Ok(())
}

/// The architectures that a profile may name.
const KNOWN: [&str; 20] = [
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_LOONGARCH64",
];
// ANCHOR_END: profile

// ANCHOR: fields
/// The fields of an object.
struct Fields<'a> {
    fields: &'a Object,
}

impl<'a> Fields<'a> {
    fn of(json: &'a JsonValue, what: &str) -> anyhow::Result<Fields<'a>> {
        let fields = json.get().with_context(|| format!("{what} is no object"))?;
        Ok(Fields { fields })
    }

    fn allow(&self, known: &[&str]) -> anyhow::Result<()> {
        match self.fields.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) if ["includes", "excludes", "archMap", "minKernel"].contains(&&**name) => {
                bail!("{name} is of Docker's own form: in OCI's an item has no such condition")
            }
            Some(name) => bail!("the field {name:?} is unknown"),
            None => Ok(()),
        }
    }

    fn optional<T: InnerAsRef>(&self, name: &str) -> anyhow::Result<Option<&'a T>> {
        match self.fields.get(name) {
            None | Some(JsonValue::Null) => Ok(None),
            Some(json) => {
                json.get().map(Some).with_context(|| format!("{name} is of a wrong type"))
            }
        }
    }

    fn list(&self, name: &str) -> anyhow::Result<&'a [JsonValue]> {
        Ok(self.optional::<Vec<JsonValue>>(name)?.map_or(&[], Vec::as_slice))
    }

    /// The reader of JSON has numbers with 53 exact bits.
    fn number(&self, name: &str) -> anyhow::Result<Option<u64>> {
        let Some(number) = self.optional::<f64>(name)? else {
            return Ok(None);
        };
        let is_exact = number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(number);
        ensure!(is_exact, "{name} {number}: whole numbers from 0 to 2^53 - 1 can be read");
        Ok(Some(*number as u64))
    }
}

/// How many there are in all. The reader of JSON keeps the last of two with one name.
fn number_of_fields(json: &JsonValue) -> usize {
    match json {
        JsonValue::Array(items) => items.iter().map(number_of_fields).sum(),
        JsonValue::Object(fields) => {
            fields.len() + fields.values().map(number_of_fields).sum::<usize>()
        }
        _ => 0,
    }
}

/// Refuses what would use up the stack. Returns the number of colons, one for each field.
fn require_shallow(text: &str) -> anyhow::Result<usize> {
    let mut colons = 0;
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            b':' if !in_text => colons += 1,
            _ => {}
        }
        ensure!(depth <= DEEPEST, "it is nested more than {DEEPEST} levels deep");
    }
    Ok(colons)
}
// ANCHOR_END: fields

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests;
