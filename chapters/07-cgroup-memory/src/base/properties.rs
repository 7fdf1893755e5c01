use proptest::prelude::*;

use super::is_container;

proptest! {
    #[test]
    fn a_name_is_one_that_random_name_makes(name in ".*|container-[0-9a-gA-F+ ]{7,9}", n: u32) {
        let made = |digits: &str| {
            let number = u32::from_str_radix(digits, 16);
            number.is_ok_and(|number| name == format!("container-{number:08x}"))
        };
        let expected = name.strip_prefix("container-").is_some_and(made);
        prop_assert_eq!(is_container(&name), expected);
        prop_assert!(is_container(&format!("container-{n:08x}")), "{}", n);
    }
}
