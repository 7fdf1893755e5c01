use proptest::prelude::*;

use super::*;

/// Whatever the words are, a line can be shown so, and on a terminal it fits.
fn a_look_shows_a_line(words: &str, message: &str) {
    let Some(look) = Look::from_words(words.split(' ')) else {
        return;
    };
    assert_eq!(Look::from_words(look.to_words().split(' ')), Some(look));
    let line = Line {
        elapsed: Duration::from_millis(1),
        role: "parent",
        pid: 1,
        level: Level::Info,
        message,
        place: "01-uts::spawn",
    };
    let shown = line.shown(Look {
        colour: false,
        ..look
    });
    assert!(
        look.columns.is_none_or(|columns| width(&shown) <= columns),
        "{words:?} {shown:?}"
    );
}

proptest! {
    #[test]
    fn any_words(words in ".*|[+-]?[0-9]{0,20} (colour|plain|)", message in "[^\0-\u{1f}]*") {
        a_look_shows_a_line(&words, &message);
    }

    #[test]
    fn any_width(columns in 0..70_000_u32, message in "\\PC{0,60}", micros: u64) {
        a_look_shows_a_line(&format!("{columns} plain"), &message);
        let shown = time(Duration::from_micros(micros));
        let is_long = micros >> 47 != 0; // years
        prop_assert!(shown.starts_with('+') && (is_long || shown.len() <= 8), "{}", shown);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_look() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let (words, message) = text.split_once('\n').unwrap_or((&text, "ü日"));
        a_look_shows_a_line(words, message);
    });
}
