use proptest::{collection::vec, prelude::*};

use super::*;

/// Digit by digit.
fn number(digits: &str) -> Option<u64> {
    let number = digits.chars().try_fold(0_u64, |number, digit| {
        Some((number * 10 + u64::from(digit.to_digit(10)?)).min(1 << 40))
    });
    number.filter(|_| !digits.is_empty())
}

fn shares_are_what_they_say(text: &str) {
    let expected = number(text).filter(|shares| (2..=262_144).contains(shares));
    let read = text.parse::<CpuShares>().ok();
    assert_eq!(read.map(|CpuShares(shares)| shares), expected, "{text:?}");
    assert!(read.is_none_or(|shares| (1..=10_000).contains(&shares.weight())), "{text:?}");
}

/// The kernel's own rule (bitmap_parselist in lib/bitmap-str.c), without its strides.
fn a_list_is_what_it_says(text: &str) {
    let is_range = |range: &str| {
        let ends: Option<Vec<u64>> = range.split('-').map(number).collect();
        let fits = |ends: &[u64]| ends.iter().all(|end| *end <= u64::from(u32::MAX));
        ends.is_some_and(|ends| match ends[..] {
            [_] => fits(&ends),
            [first, last] => first <= last && fits(&ends),
            _ => false,
        })
    };
    let read = text.parse::<CpuList>();
    assert_eq!(read.is_ok(), text.split(',').all(is_range), "{text:?}");
    if let Ok(list) = read {
        assert_eq!(list.to_string(), text);
    }
}

proptest! {
    #[test]
    fn any_text_is_shares_or_a_list_or_is_refused(text in ".*|[+ -]?[0-9]{1,7}[ km]?") {
        shares_are_what_they_say(&text);
        a_list_is_what_it_says(&text);
    }

    #[test]
    fn what_is_nearly_a_list(text in "([+ ]?[0-9]{0,3}[-,: \0\n]?){0,6}") {
        a_list_is_what_it_says(&text);
    }

    #[test]
    fn any_list(ranges in vec((any::<u32>(), any::<u32>()), 1..6)) {
        let range = |(first, length): &(u32, u32)| match length % 3 {
            0 => first.to_string(),
            _ => format!("{first}-{}", u64::from(*first) + u64::from(length % 99)),
        };
        a_list_is_what_it_says(&ranges.iter().map(range).collect::<Vec<_>>().join(","));
    }

    #[test]
    fn more_shares_have_no_less_weight(one in 2..262_145_u64, other in 2..262_145_u64) {
        let [less, more] = [one.min(other), one.max(other)].map(|n| CpuShares(n).weight());
        prop_assert!(less <= more);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_cpu() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            shares_are_what_they_say(text);
            a_list_is_what_it_says(text);
        }
    });
}
