use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

fn object(version: &str, uid: &str, chapters: &[(&str, &str, Vec<String>)]) -> String {
    let chapters: Vec<String> = chapters
        .iter()
        .map(|(chapter, verdict, reasons)| {
            format!(r#"{{"chapter":"{chapter}","verdict":"{verdict}","reasons":{reasons:?}}}"#)
        })
        .collect();
    let chapters = chapters.join(",");
    format!(
        r#"{{"version":{version},"kernel":"6.1","arch":"x","uid":{uid},"cgroup":"v2",
        "place":"machine","advice":null,"chapters":[{chapters}]}}"#
    )
}

/// An answer for each chapter of the book.
fn whole() -> Vec<(&'static str, &'static str, Vec<String>)> {
    CHAPTERS.iter().map(|chapter| (chapter.name, "runs", Vec::new())).collect()
}

proptest! {
    #[test]
    fn any_text(text in ".*|[\\[\\]{}\":,0-9a-z\\\\ .-]*") {
        let _ = parse("x", &text);
    }

    #[test]
    fn a_file_that_was_cut_off_is_none(length in 0usize..200) {
        let text = object("1", "1000", &whole());
        prop_assert!(parse("x", &text[..length]).is_err());
    }

    #[test]
    fn each_chapter_is_told(
        given in vec((select(vec!["runs", "partly", "blocked"]), vec("[a-z: ü]{0,9}", 0..3)),
            CHAPTERS.len()),
        uid: u32,
    ) {
        let chapters: Vec<_> = CHAPTERS.iter().zip(&given)
            .map(|(chapter, (verdict, reasons))| (chapter.name, *verdict, reasons.clone()))
            .collect();
        let machine = parse("x", &object("1", &uid.to_string(), &chapters)).unwrap();
        prop_assert_eq!(machine.uid, uid);
        for (chapter, verdict, reasons) in &chapters {
            let answer = &machine.diagnosis[*chapter];
            prop_assert_eq!(format!("{:?}", answer.verdict).to_lowercase(), *verdict);
            prop_assert_eq!(&answer.reasons, reasons);
        }
        let has_blocked = given.iter().any(|(verdict, _)| *verdict == "blocked");
        prop_assert_eq!(machine.is_blocked(), has_blocked);
    }

    #[test]
    fn the_chapters_are_those_of_the_book(left_out in 0..CHAPTERS.len(), twice: bool) {
        let mut chapters = whole();
        let gone = chapters.remove(left_out);
        if twice {
            chapters.extend([gone.clone(), gone]);
        }
        prop_assert!(parse("x", &object("1", "0", &chapters)).is_err());
    }
}

#[test]
fn a_number_is_what_it_should_be() {
    for (version, uid, is_right) in [
        ("1", "0", true),
        ("2", "0", false),
        ("\"1\"", "0", false),
        ("1", "-1", false),
        ("1", "0.5", false),
        ("1", "4294967296", false),
    ] {
        assert_eq!(
            parse("x", &object(version, uid, &whole())).is_ok(),
            is_right,
            "{version} {uid}"
        );
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_machines() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let _ = parse("x", &String::from_utf8_lossy(bytes));
    });
}
