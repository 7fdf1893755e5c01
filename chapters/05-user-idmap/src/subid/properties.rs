use proptest::{collection::vec, prelude::*};

use super::first_range;

const NAMES: [&str; 2] = ["ann", "1001"];

/// What is found is a line of one of the names, with these numbers and nothing else.
fn a_range_is_on_a_line(text: &str) {
    let Some((first, count)) = first_range(text, &NAMES) else {
        return;
    };
    assert!(
        count > 0 && u64::from(first) + u64::from(count) <= u64::from(u32::MAX),
        "{text:?}"
    );
    let is_it = |line: &str| {
        let fields: Vec<&str> = line.trim_end().split(':').collect();
        let value = |digits: &str| {
            let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
            is_number.then(|| digits.trim_start_matches('0').to_owned())
        };
        let shown = |number: u32| Some(number.to_string().trim_start_matches('0').to_owned());
        fields.len() == 3
            && NAMES.contains(&fields[0])
            && value(fields[1]) == shown(first)
            && value(fields[2]) == shown(count)
    };
    assert!(text.lines().any(is_it), "{first} {count} of {text:?}");
}

proptest! {
    #[test]
    fn any_text_has_no_range_that_is_not_on_a_line(
        text in "((ann|1001|bob|#)?[0-9:+ \r\n-]{0,12})*",
    ) {
        a_range_is_on_a_line(&text);
    }

    #[test]
    fn the_first_of_the_ranges(
        entries in vec(("ann|1001|bob|ann2", any::<u32>(), any::<u32>()), 0..6),
        between in "[#x\n]{0,3}",
    ) {
        let line = |(name, first, count): &(String, u32, u32)| format!("{name}:{first}:{count}\n");
        let text: Vec<String> = entries.iter().map(line).collect();
        let expected = entries.iter().find(|(name, first, count)| {
            let end = u64::from(*first) + u64::from(*count);
            NAMES.contains(&name.as_str()) && *count > 0 && end <= u64::from(u32::MAX)
        });
        let expected = expected.map(|(_, first, count)| (*first, *count));
        let text = text.join(&format!("{between}\n"));
        prop_assert_eq!(first_range(&text, &NAMES), expected);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_subid() {
    bolero::check!().for_each(|bytes: &[u8]| {
        a_range_is_on_a_line(&String::from_utf8_lossy(bytes));
    });
}
