use proptest::{prelude::*, sample::select};

use super::*;

/// A line is four words, of which the first is a chapter's name.
fn an_entry_is_about_a_chapter(line: &str) {
    let Ok(read) = entry(line) else { return };
    assert!(CHAPTERS.iter().any(|chapter| chapter.name == read.chapter), "{line:?}");
    let stand = if read.stand == Stand::Done {
        "done"
    } else {
        "open"
    };
    let zeros = line.rsplit(' ').next().map_or(0, |number| number.len());
    let written = format!("{} {} {stand} {:0zeros$}", read.chapter, read.slug, read.hints);
    assert_eq!(written, line);
    assert!(!read.slug.is_empty());
}

proptest! {
    #[test]
    fn any_line(
        line in ".*|(04-mount|4|ü)?( (private|)){0,2} (done|open|half) [+-]?[0-9]{0,21}",
    ) {
        an_entry_is_about_a_chapter(&line);
    }

    #[test]
    fn any_entry_comes_back(
        chapter in select(CHAPTERS.iter().map(|chapter| chapter.name).collect::<Vec<_>>()),
        slug in "[a-z-]{1,9}",
        is_done: bool,
        hints in 0..9_usize,
    ) {
        let line = format!("{chapter} {slug} {} {hints}", if is_done { "done" } else { "open" });
        let expected = Entry {
            chapter: chapter.to_owned(),
            slug,
            stand: if is_done { Stand::Done } else { Stand::Open },
            hints,
        };
        prop_assert_eq!(entry(&line).unwrap(), expected);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_progress() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().for_each(an_entry_is_about_a_chapter);
    });
}
