use proptest::prelude::*;

use super::*;

fn a_name_is_a_file_of_its_folder(text: &str) {
    let letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let is_name = (1..=64).contains(&text.len())
        && text
            .chars()
            .enumerate()
            .all(|(place, letter)| letters.contains(letter) || place > 0 && "_.-".contains(letter));
    let read = text.parse::<Name>();
    assert_eq!(read.is_ok(), is_name, "{text:?}");
    if let Ok(name) = read {
        assert_eq!(name.as_str(), text);
        let parts: Vec<_> = std::path::Path::new(name.as_str()).components().collect();
        assert!(matches!(parts[..], [std::path::Component::Normal(_)]), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_name_or_is_refused(
        text in ".*|[A-Za-z0-9][A-Za-z0-9_.-]{58,66}|[a./\0-]{1,4}",
    ) {
        a_name_is_a_file_of_its_folder(&text);
    }

    /// hostname(7): labels with a letter or digit at both ends.
    #[test]
    fn a_hostname(
        text in "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?([.][a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?){0,2}",
    ) {
        prop_assert!(text.parse::<Name>().unwrap().is_hostname());
        for more in ["-", ".", "_", ".-a", "-.a"] {
            let other: Name = [&text, more].concat().parse().unwrap();
            prop_assert!(!other.is_hostname(), "{}", other);
        }
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_name() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            a_name_is_a_file_of_its_folder(text);
        }
    });
}
