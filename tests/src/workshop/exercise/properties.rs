use proptest::prelude::*;

use super::{tests::TEXT, *};

/// Whatever the text is, it is an error, or an exercise that a learner can be given.
fn an_exercise_has_all_that_a_learner_needs(text: &str) {
    let Ok(exercise) = parse("01-uts", 1, "x", text) else {
        return;
    };
    assert!(exercise.minutes > 0 && !exercise.checks.is_empty() && exercise.hints.len() == 3);
    assert!(exercise.holes.iter().all(|hole| hole.put.contains("todo!")), "{text}");
    assert!(text.contains(&exercise.title) && text.contains(&exercise.page), "{text}");
    assert!(text.contains(&exercise.task) && !exercise.page.contains("<details>"), "{text}");
}

proptest! {
    #[test]
    fn any_text(
        text in ".*|<!--\n((minutes|hole|put|check): [0-9a-z= ]{0,9}\n){0,3}-->\n[#* a-zT.\n]*",
    ) {
        an_exercise_has_all_that_a_learner_needs(&text);
    }

    /// Parts of an exercise taken out, twice there, or elsewhere.
    #[test]
    fn a_garbled_exercise(
        from: prop::sample::Index,
        length in 0..30_usize,
        to: prop::sample::Index,
        put in "(minutes: |put: a = |\n|-->|### |[*]{2}|</?details>|ü){0,2}",
    ) {
        let is_boundary = |at: &usize| TEXT.is_char_boundary(*at);
        let at = |index: usize| (0..=index).rev().find(is_boundary).unwrap_or(0);
        let from = at(from.index(TEXT.len()));
        let end = at((from + length).min(TEXT.len()));
        let mut garbled = [&TEXT[..from], &put, &TEXT[end..]].concat();
        an_exercise_has_all_that_a_learner_needs(&garbled);
        let to = to.index(garbled.len());
        if garbled.is_char_boundary(to) {
            garbled.insert_str(to, &TEXT[from..end]);
            an_exercise_has_all_that_a_learner_needs(&garbled);
        }
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_exercise() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        an_exercise_has_all_that_a_learner_needs(&text);
        an_exercise_has_all_that_a_learner_needs(&TEXT.replace("minutes: 5\n", &text));
    });
}
