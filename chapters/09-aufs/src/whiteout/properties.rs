use std::os::unix::ffi::OsStringExt;

use proptest::{collection::vec, prelude::*};

use super::*;

proptest! {
    /// aufs(5): `.wh.NAME` hides NAME, and `.wh..wh.*` is its own.
    #[test]
    fn a_name_is_itself_hides_another_or_is_for_book_keeping(
        marks in 0..4_usize,
        rest in vec((1..=u8::MAX).prop_filter("no slash", |byte| *byte != b'/'), 0..9),
    ) {
        let name = std::ffi::OsString::from_vec([".wh.".repeat(marks).as_bytes(), &rest].concat());
        let has_another = rest.starts_with(b".wh.");
        let expected = match marks + usize::from(has_another) {
            0 => None,
            1 if marks == 1 => Some(Some(OsStr::from_bytes(&rest))),
            1 => Some(Some(OsStr::from_bytes(&rest[4..]))),
            _ => Some(None),
        };
        prop_assert_eq!(aufs_meaning(Driver::Aufs, &name), expected);
        prop_assert_eq!(aufs_meaning(Driver::Overlay, &name), None);
    }
}
