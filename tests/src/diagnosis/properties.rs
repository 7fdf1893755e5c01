use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// The three that there are, and another word.
const VERDICTS: [&str; 4] = ["runs", "partly", "blocked", "x"];

proptest! {
    #[test]
    fn any_text(text in ".*|[\\[\\]{}\":,0-9a-z\\\\ .-]*") {
        let _ = answers(&text);
    }

    #[test]
    fn each_chapter_has_one_answer(
        given in vec(
            ("[0-9]{2}-[ab]", select(VERDICTS.to_vec()), vec("[a-z: ü]{0,9}", 0..3)),
            0..5,
        ),
    ) {
        let chapters: Vec<String> = given.iter().map(|(chapter, verdict, reasons)| {
            format!(r#"{{"chapter":"{chapter}","verdict":"{verdict}","reasons":{reasons:?}}}"#)
        }).collect();
        let read = answers(&format!(r#"{{"version":1,"chapters":[{}]}}"#, chapters.join(",")));
        let names: std::collections::BTreeSet<_> = given.iter().map(|one| &one.0).collect();
        let makes_sense = names.len() == given.len() && given.iter().all(|one| one.1 != "x");
        prop_assert_eq!(read.is_ok(), makes_sense);
        for (chapter, verdict, reasons) in given.iter().filter(|_| makes_sense) {
            let answer = &read.as_ref().unwrap()[chapter];
            prop_assert_eq!(&answer.reasons, reasons);
            prop_assert_eq!(format!("{:?}", answer.verdict).to_lowercase(), *verdict);
        }
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_diagnosis() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let _ = answers(&String::from_utf8_lossy(bytes));
    });
}
