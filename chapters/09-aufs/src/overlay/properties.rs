use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// As the kernel reads options: up to a comma without a backslash before it (`ovl_next_opt`), and
/// the layers up to a colon (`ovl_split_lowerdirs`); then each backslash goes, and what follows it
/// stays (`ovl_unescape`).
fn split(text: &[u8], at: u8) -> Vec<Vec<u8>> {
    let (mut parts, mut is_escaped) = (vec![Vec::new()], false);
    for byte in text {
        if *byte == at && !is_escaped {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(*byte);
        }
        is_escaped = *byte == b'\\' && !is_escaped;
    }
    parts
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter();
    let next = |bytes: &mut std::slice::Iter<u8>| match bytes.next()? {
        b'\\' => bytes.next().copied(),
        byte => Some(*byte),
    };
    std::iter::from_fn(|| next(&mut bytes)).collect()
}

proptest! {
    #[test]
    fn the_layers_come_back_out_of_one_string(
        layers in vec(vec(prop_oneof![select(b"\\:,".to_vec()), 1..=u8::MAX], 1..9), 1..4),
    ) {
        let path = |bytes: &Vec<u8>| PathBuf::from(OsString::from_vec(bytes.clone()));
        let each: Vec<Vec<u8>> = layers.iter().map(|layer| escaped(&path(layer))).collect();
        let text = [b"lowerdir=", &each.join(&b':')[..], b",upperdir=/x"].concat();
        let options = split(&text, b',');
        prop_assert_eq!(options.len(), 2);
        let found: Vec<Vec<u8>> =
            split(&options[0][9..], b':').iter().map(|layer| unescaped(layer)).collect();
        prop_assert_eq!(found, layers);
    }
}
