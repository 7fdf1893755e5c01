use proptest::{prelude::*, sample::select};

use super::*;

/// The head and the rest are the text.
fn a_head_and_a_rest(text: &str) {
    let (head, body) = Head::of(text);
    assert!(text.ends_with(body));
    let lines = text[..text.len() - body.len()].lines();
    for value in [head.says, head.hole].into_iter().flatten() {
        assert!(lines.clone().any(|line| line.trim_end().ends_with(value)), "{value}: {text}");
    }
}

proptest! {
    #[test]
    fn any_text(text in ".*|((// )?(says|shows|verdict|hole|x)?:? [a-zü]{0,5}\r?\n?)*") {
        a_head_and_a_rest(&text);
    }

    #[test]
    fn any_head(
        says in "[a-z]([a-z: ü]{0,9}[a-z])?",
        shows in select(vec!["root", "user", "root user"]),
        body in "[a-z(); ]{0,9}\n[a-z: \n]{0,9}",
        is_patch: bool,
    ) {
        prop_assume!(!body.contains(": "));
        let mark = if is_patch { "" } else { "// " };
        let text = format!("{mark}shows: {shows}\n{mark}says: {says}\n{body}");
        let (head, rest) = Head::of(&text);
        prop_assert_eq!((head.says, head.shows), (Some(says.as_str()), shows));
        prop_assert_eq!(rest, body);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_answer() {
    bolero::check!().for_each(|bytes: &[u8]| a_head_and_a_rest(&String::from_utf8_lossy(bytes)));
}
