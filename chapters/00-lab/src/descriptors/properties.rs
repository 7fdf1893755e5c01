use proptest::{collection::vec, prelude::*};

use super::*;

proptest! {
    #[test]
    fn any_text_names_what_is_in_it(text in ".*|([a-z]{0,3}=?[+-]?[0-9]{0,11} ?){0,4}") {
        for (name, number) in named(&text) {
            let says_so = |word: &str| {
                let value = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
                value.is_some_and(|value| value.parse() == Ok(number))
            };
            prop_assert!(text.split(' ').any(says_so), "{} {}", name, number);
            // The streams have no owner here, and so many descriptors are never open.
            if number <= 2 || number > 1 << 24 {
                prop_assert!(own(number).is_none());
            }
        }
    }

    #[test]
    fn what_was_handed_over_is_found(pairs in vec(("[a-z]{1,9}", any::<RawFd>()), 0..5)) {
        let word = |(name, number): &(String, RawFd)| format!("{name}={number}");
        let text = pairs.iter().map(word).collect::<Vec<_>>().join(" ");
        let found: Vec<_> = named(&text).map(|(name, number)| (name.to_owned(), number)).collect();
        prop_assert_eq!(found, pairs);
    }
}
