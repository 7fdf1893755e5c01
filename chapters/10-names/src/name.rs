// ANCHOR: name
//! What may a container be called?

use std::{fmt, str::FromStr};

/// The longest name, in bytes: it becomes the name of a file.
const LONGEST: usize = 64;

/// A container's name: letters, digits, `_`, `.` and `-`, the first a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !begins_well || !text.chars().all(allowed) || text.len() > LONGEST {
            return Err(format!(
                "a name has 1 to {LONGEST} letters, digits, _, . and -, and begins with a letter \
                 or digit"
            ));
        }
        Ok(Name(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Name {
    /// As a file's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can be a hostname too: labels of letters, digits and `-` (hostname(7)).
    pub fn is_hostname(&self) -> bool {
        let is_label = |label: &str| {
            let fits = !label.is_empty() && label.len() < 64 && !label.contains('_');
            fits && !label.starts_with('-') && !label.ends_with('-')
        };
        self.0.split('.').all(is_label)
    }
}
// ANCHOR_END: name

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_names_can_be_hostnames() {
        let is = |name: &str| name.parse::<Name>().unwrap().is_hostname();
        assert!(is("box") && is("web-1.old2") && is(&"a".repeat(63)));
        assert!(!is("web_1") && !is("a-") && !is("a..b") && !is("a.") && !is(&"a".repeat(64)));
    }

    #[test]
    fn a_name_is_one_that_a_file_can_have_and_a_shell_can_read() {
        for good in ["box", "b", "web-1.old_2", "0"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-box", "_x", "a/b", "a b", "a\n", "ü", &"a".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
