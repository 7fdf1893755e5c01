use ch08_pipe_init::wire::Bytes;
use proptest::{collection::vec, option, prelude::*};

use super::*;

prop_compose! {
    fn limits()(
        limits in vec(("core|as|rttime", 0..99_u64, 99..1_u64 << 60), 0..5),
        is_unlimited: bool,
        oom_score_adj in option::of(-1000..=1000),
    ) -> Limits {
        let limit = |(name, soft, hard): &(String, u64, u64)| match is_unlimited {
            true => format!("{name}={soft}:unlimited").parse().unwrap(),
            false => format!("{name}={soft}:{hard}").parse().unwrap(),
        };
        Limits { limits: limits.iter().map(limit).collect(), oom_score_adj }
    }
}

prop_compose! {
    fn privileges()(
        bits: u64,
        filter in option::of(vec(any::<[u8; 8]>(), 1..20)),
        limits in limits(),
    ) -> Privileges {
        Privileges {
            capabilities: CapabilitySet::from_bits(bits),
            filter: filter.map(|filter| Filter::from_bytes(&filter.concat()).unwrap()),
            limits,
        }
    }
}

/// What is read is what would be written so.
fn lines_have_one_form(text: &str) {
    if let Ok(read) = Privileges::from_lines(text) {
        let written = read.to_lines();
        for line in written.lines() {
            assert_eq!(text.lines().filter(|other| *other == line).count(), 1, "{text:?}");
        }
        assert_eq!(Privileges::from_lines(&written).unwrap(), read);
    }
}

/// Likewise for a message.
fn bytes_have_one_form(bytes: &[u8]) {
    let mut rest = Bytes(bytes);
    if let Ok(read) = Privileges::decode(&mut rest) {
        let mut written = Vec::new();
        read.encode(&mut written);
        assert_eq!(written, bytes[..bytes.len() - rest.0.len()]);
    }
}

proptest! {
    #[test]
    fn any_privileges_come_back(
        privileges in privileges(),
        before in "((run|note) [^\n\r]{0,9}\n){0,2}",
    ) {
        let text = before + &privileges.to_lines();
        prop_assert_eq!(Privileges::from_lines(&text).unwrap(), privileges.clone());
        let mut bytes = Vec::new();
        privileges.encode(&mut bytes);
        let mut rest = Bytes(&bytes);
        prop_assert_eq!(Privileges::decode(&mut rest).unwrap(), privileges);
        prop_assert!(rest.0.is_empty());
    }

    #[test]
    fn what_nobody_writes(
        privileges in privileges(),
        place: prop::sample::Index,
        by in 1..128_u8,
        length: prop::sample::Index,
    ) {
        let mut lines = privileges.to_lines().into_bytes();
        let at = place.index(lines.len());
        prop_assert!(Privileges::from_lines(std::str::from_utf8(&lines[..at]).unwrap()).is_err());
        lines[at] ^= by;
        lines_have_one_form(&String::from_utf8_lossy(&lines));
        let mut bytes = Vec::new();
        privileges.encode(&mut bytes);
        let at = place.index(bytes.len());
        bytes[at] ^= by;
        bytes_have_one_form(&bytes);
        bytes_have_one_form(&bytes[..length.index(bytes.len())]);
    }

    #[test]
    fn any_bytes(bytes in vec(prop_oneof![0..3_u8, any::<u8>()], 0..80)) {
        bytes_have_one_form(&bytes);
        lines_have_one_form(&String::from_utf8_lossy(&bytes));
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_privileges() {
    bolero::check!().for_each(|bytes: &[u8]| {
        bytes_have_one_form(bytes);
        let text = String::from_utf8_lossy(bytes);
        lines_have_one_form(&text);
        lines_have_one_form(&format!(
            "limits core=0:0\noom_score_adj -\nseccomp unconfined\n{text}"
        ));
    });
}
