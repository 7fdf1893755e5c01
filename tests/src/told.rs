//! How is a person told what was found?
//!
//! Not in Rust's debug form: lines and words in quotes, and no more than ten of them.

use std::{collections::BTreeMap, ffi::OsString, fmt::Display, path::PathBuf};

use anyhow::bail;
use nix::{fcntl::SealFlag, sys::termios::LocalFlags, unistd::Pid};

use crate::Ended;

/// The longest list.
const MOST: usize = 10;

/// What can be told.
pub trait Tell {
    /// It, in words.
    fn tell(&self) -> String;
}

/// It, in words: `"one", "two"`, or `nothing`.
pub fn told(what: &(impl Tell + ?Sized)) -> String {
    what.tell()
}

/// The first ten, and how many more there are.
fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let number = items.len();
    let mut text = items.take(MOST).collect::<Vec<_>>().join(", ");
    if number == 0 {
        text += "nothing";
    } else if number > MOST {
        text += &format!(" and {} more", number - MOST);
    }
    text
}

/// What a terminal would obey, and a tab, are shown by their names.
fn quoted(line: &str) -> String {
    let shown = |letter: char| match letter {
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    format!("\"{}\"", line.chars().map(shown).collect::<String>())
}

/// A text is told line by line.
impl Tell for str {
    fn tell(&self) -> String {
        list(self.lines().map(quoted).collect::<Vec<_>>().into_iter())
    }
}

impl Tell for String {
    fn tell(&self) -> String {
        self.as_str().tell()
    }
}

impl Tell for OsString {
    fn tell(&self) -> String {
        self.to_string_lossy().tell()
    }
}

impl Tell for std::borrow::Cow<'_, str> {
    fn tell(&self) -> String {
        self.as_ref().tell()
    }
}

impl Tell for PathBuf {
    fn tell(&self) -> String {
        self.display().to_string()
    }
}

impl<T: Tell + ?Sized> Tell for &T {
    fn tell(&self) -> String {
        (*self).tell()
    }
}

impl<T: Tell> Tell for Option<T> {
    fn tell(&self) -> String {
        self.as_ref().map_or_else(|| "nothing".into(), T::tell)
    }
}

/// An empty text in a list is one all the same.
fn item(item: &impl Tell) -> String {
    let text = item.tell();
    if text == "nothing" {
        "\"\"".into()
    } else {
        text
    }
}

impl<T: Tell> Tell for [T] {
    fn tell(&self) -> String {
        list(self.iter().map(item))
    }
}

impl<T: Tell, const N: usize> Tell for [T; N] {
    fn tell(&self) -> String {
        self.as_slice().tell()
    }
}

impl<T: Tell> Tell for Vec<T> {
    fn tell(&self) -> String {
        self.as_slice().tell()
    }
}

impl<T: Display> Tell for (T, T) {
    fn tell(&self) -> String {
        format!("{}:{}", self.0, self.1)
    }
}

impl<K: Display, V: Display> Tell for BTreeMap<K, V> {
    fn tell(&self) -> String {
        list(self.iter().map(|(key, value)| format!("{key} {value}")))
    }
}

impl Tell for Pid {
    fn tell(&self) -> String {
        self.to_string()
    }
}

impl Tell for LocalFlags {
    fn tell(&self) -> String {
        list(self.iter_names().map(|(name, _)| name.into()).collect::<Vec<_>>().into_iter())
    }
}

impl Tell for SealFlag {
    fn tell(&self) -> String {
        list(self.iter_names().map(|(name, _)| name.into()).collect::<Vec<_>>().into_iter())
    }
}

impl Tell for Ended {
    fn tell(&self) -> String {
        let wrote = self.text().tell();
        format!("exit status {}; it wrote {wrote}; it said: {}", self.status(), self.errors)
    }
}

/// A list must be this one; the error says what is missing, and what is too much.
///
/// # Errors
///
/// It is another.
pub fn must_list(
    what: &str,
    found: &[impl AsRef<str>],
    expected: &[impl AsRef<str>],
) -> anyhow::Result<()> {
    let found: Vec<&str> = found.iter().map(AsRef::as_ref).collect();
    let expected: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
    if found == expected {
        return Ok(());
    }
    let without = |some: &[&str], others: &[&str]| -> Vec<String> {
        some.iter()
            .filter(|one| !others.contains(one))
            .map(|one| (*one).to_owned())
            .collect()
    };
    let (missing, surplus) = (without(&expected, &found), without(&found, &expected));
    let mut text = format!("{what}: {}", told(&found));
    if missing.is_empty() && surplus.is_empty() {
        text += &format!("; expected, in this order: {}", told(&expected));
    }
    if !missing.is_empty() {
        text += &format!("; missing: {}", told(&missing));
    }
    if !surplus.is_empty() {
        text += &format!("; not expected: {}", told(&surplus));
    }
    bail!(text)
}

#[cfg(test)]
mod tests {
    use super::{must_list, told};

    #[test]
    fn what_differs_is_named() {
        let error = |found: &[&str]| must_list("it has", found, &["a", "b"]).err().unwrap();
        assert_eq!(error(&["a"]).to_string(), "it has: \"a\"; missing: \"b\"");
        assert_eq!(
            error(&["b", "a"]).to_string(),
            "it has: \"b\", \"a\"; expected, in this order: \"a\", \"b\""
        );
        let both = error(&["a", "c"]).to_string();
        assert_eq!(both, "it has: \"a\", \"c\"; missing: \"b\"; not expected: \"c\"");
        assert!(must_list("it has", &["a", "b"], &["a", "b"]).is_ok());
    }

    #[test]
    fn a_text_is_told_line_by_line() {
        assert_eq!(told("one\ntwo\tcolumns\n"), "\"one\", \"two\\tcolumns\"");
        assert_eq!(told(""), "nothing");
        assert_eq!(told(&["", "a b"]), "\"\", \"a b\"");
        assert_eq!(told(&Some("x")), "\"x\"");
    }

    #[test]
    fn a_list_has_ten_at_the_most() {
        let many: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
        assert!(told(&many).ends_with("\"10\" and 2 more"), "{}", told(&many));
        assert!(told(&many.join("\n")).ends_with("\"10\" and 2 more"));
    }
}
