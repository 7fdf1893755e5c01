use proptest::prelude::*;
use tinyjson::JsonValue;

use super::*;

/// Another reader of JSON reads what was written, and a terminal obeys nothing in it.
fn a_string_comes_back(text: &str) {
    let written = quoted(text);
    assert!(!written.chars().any(|c| c.is_control()), "{written:?}");
    assert!(written.len() < LONGEST + 20);
    // What is above 2^16 and obeyed would need two of JSON's escapes.
    let read: JsonValue = written.parse().unwrap_or_else(|error| panic!("{written}: {error}"));
    let read: &String = read.get().expect("a string");
    match read.strip_suffix(" …").filter(|_| read != text) {
        Some(kept) => assert!(text.starts_with(kept), "{written}"),
        None => assert_eq!(read, text),
    }
}

proptest! {
    #[test]
    fn any_string(text in any::<String>(), letter in any::<char>()) {
        a_string_comes_back(&text);
        a_string_comes_back(&letter.to_string().repeat(2000));
    }

    #[test]
    fn any_letter(letter in "[\u{0}-\u{9f}]|[\u{2000}-\u{2fff}]|[\u{e0000}-\u{e0fff}]") {
        a_string_comes_back(&letter);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_record() {
    bolero::check!().for_each(|bytes: &[u8]| a_string_comes_back(&String::from_utf8_lossy(bytes)));
}
