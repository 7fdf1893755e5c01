use proptest::{collection::vec, prelude::*};

use super::*;

proptest! {
    #[test]
    fn a_variable_comes_back(text in vec(prop_oneof![Just(b'='), 1..=u8::MAX], 0..12)) {
        match variable(OsString::from_vec(text.clone())) {
            Ok((name, value)) => {
                prop_assert!(!name.is_empty() && !name.as_bytes().contains(&b'='));
                prop_assert_eq!([name.as_bytes(), value.as_bytes()].join(&b'='), text);
            }
            Err(_) => prop_assert!(text.first() == Some(&b'=') || !text.contains(&b'=')),
        }
    }
}
