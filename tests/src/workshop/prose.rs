//! How does Markdown become lines on a terminal?

/// Prose for a terminal: lines of 90 characters at the most, broken between words.
pub fn wrapped(text: &str) -> String {
    let paragraph = |paragraph: &str| {
        let (mut lines, mut length) = (String::new(), 0);
        for word in paragraph.split(' ') {
            let wide = word.chars().count();
            if length > 0 && length + wide >= 90 {
                lines.push('\n');
                length = 0;
            } else if length > 0 {
                lines.push(' ');
                length += 1;
            }
            lines += word;
            length += wide;
        }
        lines
    };
    text.lines().map(paragraph).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn prose_is_broken_between_words() {
        let text = format!("{} end\n\nnext", "word ".repeat(18).trim());
        assert_eq!(wrapped(&text), format!("{}\nend\n\nnext", "word ".repeat(18).trim()));
        assert_eq!(wrapped(&"x".repeat(200)), "x".repeat(200));
    }
}
