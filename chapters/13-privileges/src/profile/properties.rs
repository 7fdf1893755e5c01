use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::Filter;

/// Whatever the text is, it is a profile whose calls there are, or an error; and each profile has a
/// filter, or is too long for one.
pub(crate) fn a_profile_makes_sense(text: &str) {
    let kept = CapabilitySet::of_docker();
    let strict = Profile::parse(text, kept, Foreign::Refuse);
    let Ok(profile) = Profile::parse(text, kept, Foreign::Skip) else {
        assert!(strict.is_err(), "{text}");
        return;
    };
    for item in &profile.items {
        assert!(!item.calls.is_empty(), "{text}");
        let newest = i64::from(crate::syscalls::newest());
        assert!(item.calls.iter().all(|call| (0..=newest).contains(call)), "{text}");
    }
    if let Err(error) = Filter::compile(&profile) {
        let message = format!("{error:#}");
        assert!(message.contains("instructions"), "{message}: {text}");
    }
}

/// The beginning of a profile, up to the names of its only item.
const TRAPS: &str =
    r#"{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"action":"SCMP_ACT_TRAP","names":"#;

const FIELDS: [&str; 12] = [
    "defaultAction",
    "defaultErrnoRet",
    "architectures",
    "syscalls",
    "names",
    "action",
    "errnoRet",
    "args",
    "index",
    "value",
    "op",
    "needs",
];
const WORDS: [&str; 14] = [
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_LOG",
    "SCMP_ACT_KILL",
    "SCMP_CMP_EQ",
    "read",
    "SCMP_CMP_MASKED_EQ",
    "open",
    "dup",
    "SYS_ADMIN",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_AARCH64",
    "",
    "\\u0000",
];

/// Any JSON, of words that mean something in a profile.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(WORDS.to_vec()).prop_map(|word| format!("\"{word}\"")),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (0..7_u32).prop_map(|number| number.to_string()),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        let field = (select(FIELDS.to_vec()), inner.clone());
        let field = field.prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec(field, 0..6).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn any_text(text in ".*|[\\[\\]{}\":,0-9a-e. \\\\-]*") {
        a_profile_makes_sense(&text);
    }

    #[test]
    fn any_json(json in json()) {
        a_profile_makes_sense(&json);
        let item = TRAPS;
        a_profile_makes_sense(&format!("{item}{json}}}]}}"));
        a_profile_makes_sense(&format!("{item}[\"dup\"],\"args\":{json}}}]}}"));
    }

    /// A part of the default profile taken out, or put elsewhere.
    #[test]
    fn a_garbled_default(
        from: prop::sample::Index,
        length in 0..40_usize,
        to: prop::sample::Index,
    ) {
        let text = DEFAULT.as_bytes();
        let from = from.index(text.len());
        let end = (from + length).min(text.len());
        let mut garbled = [&text[..from], &text[end..]].concat();
        a_profile_makes_sense(&String::from_utf8_lossy(&garbled));
        let to = to.index(garbled.len());
        garbled.splice(to..to, text[from..end].iter().copied());
        a_profile_makes_sense(&String::from_utf8_lossy(&garbled));
    }

    #[test]
    fn a_name_has_one_number(name in ".*|[a-z_0-9]{1,12}") {
        let of_table = include_str!("../syscalls.txt").split(['\n', ';']).find_map(|entry| {
            let words: Vec<&str> = entry.split_whitespace().collect();
            (words.len() == 3 && words[0] == name && !entry.starts_with('#')).then_some(words)
        });
        let column = if ARCH == "x86_64" { 1 } else { 2 };
        let expected = match of_table.map(|words| words[column].parse()) {
            None => Lookup::Unknown,
            Some(Ok(number)) => Lookup::Number(number),
            Some(Err(_)) => Lookup::Elsewhere,
        };
        prop_assert_eq!(lookup(&name), expected);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_profile() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        a_profile_makes_sense(&text);
        let item =
            r#"{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"action":"SCMP_ACT_TRAP","names":"#;
        a_profile_makes_sense(&format!("{item}[\"dup\"],\"args\":[{{{text}}}]}}]}}"));
    });
}
