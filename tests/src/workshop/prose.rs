//! How does Markdown become lines on a terminal?

use textwrap::{Options, WordSplitter::NoHyphenation};

/// Prose for a terminal: lines of 90 characters at the most, broken between words.
pub fn wrapped(text: &str) -> String {
    let options = Options::new(90).break_words(false).word_splitter(NoHyphenation);
    textwrap::fill(text.trim_end(), options)
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn prose_is_broken_between_words() {
        let text = format!("{} end\n\nnext", "word ".repeat(18).trim());
        assert_eq!(wrapped(&text), format!("{}\nend\n\nnext", "word ".repeat(18).trim()));
        assert_eq!(wrapped(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(wrapped(&format!("{} 07-cgroup-memory", "x".repeat(80))).lines().count(), 2);
        assert_eq!(wrapped("- one\n  - two\n"), "- one\n  - two");
    }
}
