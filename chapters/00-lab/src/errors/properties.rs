use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_text_is_cut_at_a_character(letter: char, number in 0..9000_usize, begin in ".*") {
        let text = begin + &letter.to_string().repeat(number);
        let shown = cut(&text);
        prop_assert!(shown.len() <= LONGEST + " …".len());
        match shown.strip_suffix(" …").filter(|_| shown != text) {
            Some(kept) => prop_assert!(text.starts_with(kept) && kept.len() + 4 > LONGEST),
            None => prop_assert_eq!(shown, text),
        }
    }
}
