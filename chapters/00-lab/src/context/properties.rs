use proptest::{prelude::*, sample::select};

use super::*;

/// Whatever is in the variable, it is ignored, or is the words of a process of ours.
fn a_context_is_what_was_handed_over(text: &str) {
    let Some(context) = read(text) else { return };
    if Form::from_word(text) == Some(context.form) {
        return;
    }
    let words: Vec<&str> = text.split(' ').collect();
    assert_eq!([&*context.stage, &*context.role], words[..2]);
    assert_eq!(context.form.word(), words[3]);
    let start = context.start.as_nanos().to_string();
    assert!(
        words[2].trim_start_matches(['+', '0']) == start.trim_start_matches('0'),
        "{text:?}"
    );
    assert!(context.look.columns.is_none_or(|columns| (1..=65535).contains(&columns)));
}

proptest! {
    #[test]
    fn any_text(
        text in ".*|[a-z]{0,3} [a-z]{0,3} [+]?[0-9]{0,21} (plain|off|x)( [0-9]{0,6})?( [a-z,]*)*",
    ) {
        a_context_is_what_was_handed_over(&text);
    }

    #[test]
    fn any_context_is_handed_over(
        stage in "[0-9a-z-]{1,9}",
        role in "[a-z]{1,6}",
        start: u64,
        form in select(Form::WORDS.map(|(form, _)| form).to_vec()),
        columns in 0..9999_u32,
        colour in "colour|plain",
    ) {
        let outside = Outside::look();
        let text = format!(
            "{stage} {role} {start} {} {columns} {colour} {}",
            form.word(),
            outside.to_word()
        );
        a_context_is_what_was_handed_over(&text);
        let context = read(&text).unwrap();
        prop_assert_eq!(context.form, form);
        prop_assert_eq!(context.look.columns.unwrap_or(0), columns as usize);
        prop_assert_eq!(context.look.colour, colour == "colour");
        prop_assert_eq!(context.outside, Some(outside));
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_context() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        a_context_is_what_was_handed_over(&text);
        a_context_is_what_was_handed_over(&format!("a b 1 {text}"));
    });
}
