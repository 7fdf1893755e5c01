use proptest::{option, prelude::*};

use super::*;

prop_compose! {
    fn identity()(pid in 1..=i32::MAX, start: u64, inode: u64) -> Identity {
        Identity { pid: Pid::from_raw(pid), start, inode }
    }
}

prop_compose! {
    fn state()(
        boot in "[0-9a-f-]{0,36}",
        seen_from in "pid:\\[[0-9]{1,10}\\]( time:\\[[0-9]{1,10}\\])?",
        run in identity(),
        container in option::of(identity()),
        notes in "((limits|seccomp|note) [^\n\r]{0,20}\n){0,3}",
    ) -> State {
        State { origin: Origin { boot, seen_from }, run, container, notes }
    }
}

/// What is read is what would be written so.
fn an_entry_has_one_form(text: &str) {
    if let Some(state) = State::parse(text) {
        assert_eq!(state.text(), text);
        assert!(text.ends_with('\n'), "it may be cut short: {text:?}");
        for process in [Some(state.run), state.container].into_iter().flatten() {
            assert!(process.pid.as_raw() > 0, "{text:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_entry_comes_back(state in state()) {
        prop_assert_eq!(State::parse(&state.text()), Some(state));
    }

    /// Where it is cut between two lines, only what comes later is missing.
    #[test]
    fn an_entry_that_is_cut_short(state in state(), length: prop::sample::Index) {
        let text = state.text();
        let length = length.index(text.len());
        if text.is_char_boundary(length) && let Some(read) = State::parse(&text[..length]) {
            prop_assert_eq!(&text[length - 1..length], "\n");
            prop_assert_eq!((&read.origin, read.run), (&state.origin, state.run));
            prop_assert!(read.container.is_none() && state.notes.starts_with(&read.notes));
        }
    }

    #[test]
    fn any_text(text in "((boot|seen from|run|container|x)?( [0-9+-]{0,4}){0,4}\n?)*") {
        an_entry_has_one_form(&text);
        an_entry_has_one_form(&format!("boot a\nseen from b\nrun 1 2 3\n{text}"));
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_entry() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            an_entry_has_one_form(text);
            an_entry_has_one_form(&format!("boot a\nseen from b\nrun 1 2 3\n{text}"));
        }
    });
}
