use super::*;
use crate::syscalls::lookup_on;

#[test]
fn the_default_names_system_calls_of_both_architectures() {
    let json: JsonValue = DEFAULT.parse().unwrap();
    let items: &Vec<JsonValue> = json["syscalls"].get().unwrap();
    let mut count = 0;
    for name in items.iter().flat_map(|item| item["names"].get::<Vec<_>>().unwrap()) {
        let name: &String = name.get().unwrap();
        let found = ["x86_64", "aarch64"].map(|one| lookup_on(one, name));
        assert!(found.iter().any(|one| matches!(one, Lookup::Number(_))), "{name}");
        assert!(!found.contains(&Lookup::Unknown), "{name}");
        count += 1;
    }
    assert!(count > 300, "{count}");
}

#[test]
fn a_capability_opens_its_calls() {
    let allows = |kept: CapabilitySet, call: i64| {
        let profile = Profile::parse(DEFAULT, kept, Foreign::Skip).unwrap();
        profile.items.iter().any(|item| {
            item.calls.contains(&call)
                && item.action == SeccompAction::Allow
                && item.conditions.is_empty()
        })
    };
    let docker = CapabilitySet::of_docker();
    let admin = CapabilitySet::from_bits(1 << number("SYS_ADMIN").unwrap());
    for call in [libc::SYS_mount, libc::SYS_clone, libc::SYS_clone3, libc::SYS_setns] {
        assert!(!allows(docker, call) && allows(admin, call), "{call}");
    }
    assert!(allows(docker, libc::SYS_chroot) && !allows(admin, libc::SYS_chroot));
    assert!(!allows(CapabilitySet::ALL, libc::SYS_keyctl));
}

#[test]
fn what_is_wrong_is_named() {
    let item =
        |item: &str| format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{{{item}}}]}}"#);
    let named = |fields: &str| item(&format!(r#""names":["read"],{fields}"#));
    let args = |args: &str| named(&format!(r#""action":"SCMP_ACT_LOG","args":[{{{args}}}]"#));
    let at_0 = r#""index":0,"value":1"#;
    for (text, part) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "the profile is no object"),
        ("{} {}", "not JSON"),
        ("{}", "no defaultAction"),
        (
            r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultAction":"SCMP_ACT_ALLOW"}"#,
            "twice",
        ),
        (
            &named(r#""action":"SCMP_ACT_ERRNO","comment":"a : b","action":"SCMP_ACT_ALLOW""#),
            "twice",
        ),
        (r#"{"defaultAction":1}"#, "defaultAction is of a wrong type"),
        (r#"{"defaultAction":"ALLOW"}"#, r#""ALLOW" is unknown"#),
        (r#"{"defaultAction":"SCMP_ACT_ALLOW","x":1}"#, r#""x" is unknown"#),
        (r#"{"defaultAction":"SCMP_ACT_ALLOW","archMap":[]}"#, "Docker's own"),
        (r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":0}"#, "errors"),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["x"]}"#,
            r#""x" is unknown"#,
        ),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_S390"]}"#,
            "is missing",
        ),
        (&item(r#""action":"SCMP_ACT_LOG""#), "syscalls[0]: names is empty"),
        (&item(r#""names":[1],"action":"SCMP_ACT_LOG""#), "no text"),
        (&item(r#""names":["rread"],"action":"SCMP_ACT_LOG""#), r#"call "rread""#),
        (&named(r#""errnoRet":1"#), "no action"),
        (&named(r#""action":"SCMP_ACT_LOG","errnoRet":1"#), "errnoRet is for"),
        (&named(r#""action":"SCMP_ACT_NOTIFY""#), "answers"),
        (&named(r#""action":"SCMP_ACT_TRACE""#), "tracer"),
        (&named(r#""action":"SCMP_ACT_LOG","includes":{}"#), "Docker's own"),
        (&named(r#""action":"SCMP_ACT_LOG","needs":"ADMIN""#), "no capability"),
        (&args(r#""index":6,"value":0,"op":"SCMP_CMP_EQ""#), "args[0]: index 6"),
        (&args(r#""index":0,"op":"SCMP_CMP_EQ""#), "no value"),
        (
            &args(&format!("{at_0},\"op\":\"SCMP_CMP_GE\"}},{{{at_0},\"op\":\"SCMP_CMP_LE\"")),
            "args[1]: argument 0 has two conditions",
        ),
        (&args(r#""index":0,"value":0"#), "no op"),
        (&args(r#""index":0,"value":0,"op":"EQ""#), r#"op "EQ" is unknown"#),
        (&args(r#""index":0,"value":-1,"op":"SCMP_CMP_EQ""#), "value -1"),
        (&args(r#""index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ""#), "2^53"),
        (&"[".repeat(100_000), "nested"),
        (&r#"["]","#.repeat(100_000), "nested"),
    ] {
        let result = Profile::parse(text, CapabilitySet::NONE, Foreign::Refuse);
        let error = format!("{:#}", result.expect_err(text));
        assert!(error.contains(part), "{text}: {error}");
    }
}
