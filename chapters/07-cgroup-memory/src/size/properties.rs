use proptest::prelude::*;

use super::*;

/// Digits and a unit, worked out in 128 bits.
fn model(text: &str) -> Option<u64> {
    let (digits, factor) = match text.char_indices().next_back()? {
        (at, 'b' | 'B') => (&text[..at], 1),
        (at, 'k' | 'K') => (&text[..at], 1024),
        (at, 'm' | 'M') => (&text[..at], 1024 * 1024),
        (at, 'g' | 'G') => (&text[..at], 1024 * 1024 * 1024),
        _ => (text, 1),
    };
    let mut number: u128 = 0;
    for digit in digits.chars() {
        number = (number * 10 + u128::from(digit.to_digit(10)?)).min(1 << 80);
    }
    let bytes = number * factor;
    let most = u128::from(unlimited());
    let fits = !digits.is_empty() && bytes >= u128::from(*PAGE) && bytes < most;
    fits.then_some(bytes as u64)
}

fn a_size_is_what_it_says(text: &str) {
    let read = text.parse::<Size>().ok();
    assert_eq!(read.map(|Size(bytes)| bytes), model(text), "{text:?}");
    if let Some(size) = read {
        assert_eq!(size.to_string().parse(), Ok(size));
    }
}

proptest! {
    #[test]
    fn any_text_is_a_size_or_is_refused(text in ".*") {
        a_size_is_what_it_says(&text);
    }

    #[test]
    fn what_is_nearly_a_size(text in "[+ -]?[0-9]{0,22}[ .]?[bkmgtBKMGT]{0,2}[ \0]?") {
        a_size_is_what_it_says(&text);
    }

    #[test]
    fn sizes_around_the_least_and_the_most(off in 0..3_u64, unit in "[bkmg]?") {
        let factor = model(&format!("1048576{unit}")).unwrap() >> 20;
        for end in [*PAGE, unlimited()] {
            a_size_is_what_it_says(&format!("{}{unit}", (end / factor + off).saturating_sub(1)));
        }
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_size() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            a_size_is_what_it_says(text);
        }
    });
}
