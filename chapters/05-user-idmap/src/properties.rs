use proptest::prelude::*;

use super::*;

/// Two numbers of digits, each below 2^32 - 1.
fn a_user_is_two_ids(text: &str) {
    let id = |digits: &str| {
        let digits = digits.trim_start_matches('0');
        let is_number = digits.chars().all(|c| c.is_ascii_digit());
        // As text: of two numbers of one length the greater one comes later.
        let fits = digits.len() < 10 || digits.len() == 10 && digits < "4294967295";
        (is_number && fits).then(|| digits.to_owned())
    };
    let expected = text.split_once(':').and_then(|(uid, gid)| {
        let are_there = !uid.is_empty() && !gid.is_empty();
        are_there.then(|| Some((id(uid)?, id(gid)?))).flatten()
    });
    let shown = |id: u32| id.to_string().trim_start_matches('0').to_owned();
    let read = text.parse::<User>().ok().map(|user| (shown(user.uid), shown(user.gid)));
    assert_eq!(read, expected, "{text:?}");
}

proptest! {
    #[test]
    fn any_text_is_a_user_or_is_refused(text in ".*|[+ -]?[0-9]{0,11}:[0-9]{0,11}[: \0]?") {
        a_user_is_two_ids(&text);
        // `auto`, or a line.
        let is_line = text.parse::<MapLine>().is_ok();
        prop_assert_eq!(text.parse::<UidMap>().is_ok(), is_line || text == "auto");
    }

    #[test]
    fn the_largest_ids(uid in u32::MAX - 3.., gid in u32::MAX - 3..) {
        a_user_is_two_ids(&format!("{uid}:{gid}"));
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_user() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            a_user_is_two_ids(text);
        }
    });
}
