use proptest::{collection::vec, prelude::*};
use similar::TextDiff;

use super::*;

/// Whatever the text is, it is a patch that changes what it names, or an error.
fn a_patch_changes_what_it_names(text: &str, file: &str) {
    for patch in read_patch(text).unwrap_or_default() {
        assert!(text.contains(&patch.file));
        if let Ok(after) = patch.apply(file) {
            let (gone, come): (Vec<_>, Vec<_>) = patch.hunks.iter().cloned().unzip();
            let length = |texts: Vec<String>| texts.iter().map(String::len).sum::<usize>();
            assert_eq!(after.len() + length(gone), file.len() + length(come));
        }
    }
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    vec("[ +-]{0,3}[ab@]{0,2}", 1..8)
}

fn text(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

proptest! {
    #[test]
    fn any_text(patch in "((---|[+]{3}|@@|diff)? ?[ab+-]{0,3}\n?)*", file in "[ab\n]*") {
        a_patch_changes_what_it_names(&patch, &file);
    }

    /// What another program writes as a difference makes one text of the other. Each line has a
    /// number, so that the lines around a change are there once.
    #[test]
    fn a_difference_is_applied(before in lines(), after in lines(), radius in 1..9_usize) {
        let unique = |lines: &[String]| -> Vec<String> {
            lines.iter().enumerate().map(|(index, line)| format!("{line}{index}")).collect()
        };
        let (before, after) = (text(&unique(&before)), text(&unique(&after)));
        prop_assume!(before != after);
        let diff = TextDiff::from_lines(&before, &after);
        let mut patch = diff.unified_diff();
        patch.context_radius(radius).header("a/src/x.rs", "b/src/x.rs");
        let patch = patch.to_string();
        let read = read_patch(&patch).unwrap();
        prop_assert_eq!(read.len(), 1, "{}", patch);
        prop_assert_eq!(&read[0].file, "src/x.rs");
        prop_assert_eq!(read[0].apply(&before).unwrap(), after, "{}", patch);
    }

    #[test]
    fn a_piece_is_what_is_between_the_marks(
        parts in vec("((// )?[a-zü ;]{0,9}\n){0,3}", 3),
        put in "([a-z ]{0,9}\n)?",
        indent in " {0,4}",
    ) {
        let [before, piece, after] = &parts[..] else { unreachable!() };
        let mark = |word: &str| format!("{indent}// {word}: exercise-x\n");
        let [begin, end] = ["ANCHOR", "ANCHOR_END"].map(mark);
        let text = [before.as_str(), &begin, piece, &end, after].concat();
        prop_assert_eq!(piece_of(&text, "exercise-x"), Some(piece.as_str()));
        prop_assert!(!has_anchor(&text, "exercise-y"));
        prop_assert_eq!(without_anchors(&text), [before.as_str(), piece, after].concat());
        let answered = with_answer(&text, "exercise-x", &put).unwrap();
        prop_assert_eq!(piece_of(&answered, "exercise-x"), Some(put.as_str()));
        prop_assert_eq!(with_answer(&answered, "exercise-x", piece), Some(text));
    }

    #[test]
    fn any_source(source in "((// ANCHOR(_END)?: [ab]| +x|ü)?\r?\n?)*", put in ".*") {
        let hole = Hole { anchor: "a".into(), put };
        prop_assert_eq!(with_hole(&source, &hole).is_some(), has_anchor(&source, "a"));
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_patch() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let (patch, file) = text.split_once('\0').unwrap_or((&text, "a\nb\nc\n"));
        a_patch_changes_what_it_names(patch, file);
        let hole = Hole {
            anchor: "a".into(),
            put: "x".into(),
        };
        assert_eq!(with_hole(&text, &hole).is_some(), has_anchor(&text, "a"));
    });
}
