use proptest::{collection::vec, prelude::*};

use super::*;

proptest! {
    #[test]
    fn any_text_is_a_capability_or_is_unknown(text in ".*|(CAP_|cap_){0,2}[A-Z_]{1,9}[ \0]?") {
        let short = |name: &str| name.to_ascii_uppercase();
        let expected = NAMES.iter().position(|name| {
            short(&text) == *name || short(&text) == format!("CAP_{name}")
        });
        prop_assert_eq!(number(&text).map(|number| number as usize), expected);
    }

    #[test]
    fn any_capability(index in 0..NAMES.len(), has_prefix: bool, has_small: bool) {
        let name = format!("{}{}", if has_prefix { "CAP_" } else { "" }, NAMES[index]);
        let name = if has_small { name.to_lowercase() } else { name };
        prop_assert_eq!(number(&name), Some(index as u32));
        prop_assert_eq!(number(&format!("CAP_{name}")).is_some(), !has_prefix);
        prop_assert!(CapabilitySet::from_bits(1 << index).has(&name));
    }

    /// The same, as sets of names.
    #[test]
    fn what_is_chosen(
        add in vec(0..=NAMES.len(), 0..6),
        drop in vec(0..=NAMES.len(), 0..6),
        known in 30..=NAMES.len(),
    ) {
        let all = |indices: &[usize]| indices.contains(&NAMES.len());
        let words = |indices: &[usize]| -> Vec<String> {
            let word = |index: &usize| NAMES.get(*index).map_or("all", |name| *name).to_owned();
            indices.iter().map(word).collect()
        };
        let kernels = CapabilitySet::from_bits((1 << known) - 1);
        let chosen = CapabilitySet::chosen_of(kernels, &words(&add), &words(&drop));
        let is_refused = add.iter().any(|index| *index >= known && *index < NAMES.len());
        prop_assert_eq!(chosen.is_err(), is_refused);
        if let Ok(chosen) = chosen {
            for (index, name) in NAMES.iter().enumerate().take(known) {
                let expected = match (all(&add), all(&drop)) {
                    (true, _) => !drop.contains(&index),
                    (false, true) => add.contains(&index),
                    (false, false) => {
                        add.contains(&index) || OF_DOCKER.contains(name) && !drop.contains(&index)
                    }
                };
                prop_assert_eq!(chosen.has(name), expected, "{}", name);
            }
            prop_assert_eq!(chosen.less(kernels), CapabilitySet::NONE);
        }
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_capability() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let upper = text.to_ascii_uppercase();
            let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
            assert_eq!(number(text).is_some(), NAMES.contains(&name));
        }
    });
}
