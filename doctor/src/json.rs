//! The answers for a program: the same keys in the same order each time.

use lab::Probe;
use tinyjson::JsonValue;

use crate::{Answer, Machine};

/// The form of the object. It changes when a key goes or gets another meaning.
const VERSION: f64 = 1.0;

/// One object on one line.
///
/// # Errors
///
/// A text cannot be written as JSON.
pub fn of(machine: &Machine, answers: &[Answer]) -> anyhow::Result<String> {
    let chapters = answers.iter().map(chapter).collect::<anyhow::Result<Vec<_>>>()?;
    let is_blocked = answers.iter().any(|(_, probe)| matches!(probe, Probe::DoesNotRun(_)));
    let advice = machine.place.advice().filter(|_| is_blocked);
    let advice = advice.map(|words| string(&words)).transpose()?;
    let whole = object(&[
        ("version", number(VERSION)?),
        ("kernel", string(&machine.kernel)?),
        ("arch", string(&machine.arch)?),
        ("uid", number(f64::from(machine.uid))?),
        ("cgroup", string(machine.cgroup)?),
        ("place", string(machine.place.name())?),
        ("advice", advice.unwrap_or("null".into())),
        ("chapters", format!("[{}]", chapters.join(","))),
    ]);
    Ok(whole + "\n")
}

fn chapter((name, probe): &Answer) -> anyhow::Result<String> {
    let reasons = probe.reasons();
    let reasons = reasons
        .iter()
        .map(|reason| string(reason))
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(object(&[
        ("chapter", string(name)?),
        ("verdict", string(verdict(probe))?),
        ("reasons", format!("[{}]", reasons.join(","))),
    ]))
}

/// The three values of `verdict`.
fn verdict(probe: &Probe) -> &'static str {
    match probe {
        Probe::Runs => "runs",
        Probe::InPart(_) => "partly",
        Probe::DoesNotRun(_) => "blocked",
    }
}

fn string(text: &str) -> anyhow::Result<String> {
    Ok(JsonValue::from(text.to_owned()).stringify()?)
}

fn number(number: f64) -> anyhow::Result<String> {
    Ok(JsonValue::from(number).stringify()?)
}

/// These fields in this order. (tinyjson's own object has none.)
fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Kind, Place, Walls};

    #[test]
    fn the_keys_have_an_order() {
        let machine = Machine {
            kernel: "6.1".into(),
            arch: "x86_64".into(),
            uid: 1000,
            cgroup: "v2",
            place: Place {
                kind: Kind::Wsl1,
                walls: Walls::default(),
                restricts: false,
            },
        };
        let answers = [
            ("01-uts", Probe::Runs),
            ("07-cgroup-memory", Probe::InPart(vec!["no \"group\"".into()])),
            ("09-aufs", Probe::DoesNotRun("no overlay".into())),
        ];
        assert_eq!(
            of(&machine, &answers).unwrap(),
            "{\"version\":1,\"kernel\":\"6.1\",\"arch\":\"x86_64\",\"uid\":1000,\"cgroup\":\"v2\",\
             \"place\":\"wsl1\",\"advice\":\"WSL 1 has no Linux kernel. In PowerShell, `wsl \
             --list --verbose` shows your systems, and `wsl --set-version NAME 2` gives one a \
             kernel.\",\"chapters\":[\
             {\"chapter\":\"01-uts\",\"verdict\":\"runs\",\"reasons\":[]},\
             {\"chapter\":\"07-cgroup-memory\",\"verdict\":\"partly\",\
             \"reasons\":[\"no \\\"group\\\"\"]},\
             {\"chapter\":\"09-aufs\",\"verdict\":\"blocked\",\"reasons\":[\"no overlay\"]}]}\n"
        );
    }
}
