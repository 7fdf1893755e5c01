use proptest::{collection::vec, prelude::*};

use super::*;

/// As many numbers as there are, with a comma between them.
fn a_word_is_as_many_numbers(word: &str) {
    let numbers: Option<Vec<u64>> = word.split(',').map(|one| one.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| numbers.len() == 3 + Kind::ALL.len());
    let read = Outside::from_word(word);
    assert_eq!(read.is_some(), numbers.is_some(), "{word:?}");
    if let (Some(read), Some(numbers)) = (read, numbers) {
        let shown: Vec<String> = numbers.iter().map(u64::to_string).collect();
        assert_eq!(read.to_word(), shown.join(","));
    }
}

proptest! {
    #[test]
    fn any_word(word in ".*|([0-9+-]{0,21},?){0,13}") {
        a_word_is_as_many_numbers(&word);
    }

    #[test]
    fn any_numbers(numbers in vec(any::<u64>(), 9..13)) {
        let shown: Vec<String> = numbers.iter().map(u64::to_string).collect();
        a_word_is_as_many_numbers(&shown.join(","));
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_outside() {
    bolero::check!().for_each(|bytes: &[u8]| {
        a_word_is_as_many_numbers(&String::from_utf8_lossy(bytes));
    });
}
