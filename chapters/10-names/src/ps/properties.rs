use proptest::prelude::*;

use super::*;

/// By the list of all of them.
fn a_signal_is_one_that_there_is(text: &str) {
    let names = Signal::iterator().flat_map(|signal| {
        let name = signal.as_str();
        [name, &name[3..]].map(|name| (name.to_owned(), signal as i32))
    });
    let number = |number: i32| {
        let zeros = text.len().saturating_sub(number.to_string().len());
        format!("{}{number}", "0".repeat(zeros))
    };
    let all = names.chain((1..=64).map(|signal| (number(signal), signal)));
    let expected = all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    let read = text.parse::<SignalNumber>().ok();
    assert_eq!(read, expected.map(|(_, signal)| SignalNumber(signal)), "{text:?}");
}

proptest! {
    #[test]
    fn any_text_is_a_signal_or_is_refused(text in ".*|(SIG|sig)?[A-Za-z+ı]{1,6}|[+-]?[0-9]{1,4}") {
        a_signal_is_one_that_there_is(&text);
    }

    #[test]
    fn any_signal(
        signal in prop::sample::select(Signal::iterator().collect::<Vec<_>>()),
        has_small: bool,
        skipped in 0..5_usize,
    ) {
        let name = &signal.as_str()[skipped..];
        let name = if has_small { name.to_lowercase() } else { name.to_owned() };
        a_signal_is_one_that_there_is(&name);
        a_signal_is_one_that_there_is(&(signal as i32).to_string());
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_signal() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            a_signal_is_one_that_there_is(text);
        }
    });
}
