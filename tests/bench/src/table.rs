//! How is a table written, for a terminal and for the book?

/// A table: its heading, and its lines. A line with one cell is a heading of those below it.
pub struct Table {
    pub heading: Vec<&'static str>,
    pub lines: Vec<Vec<String>>,
}

impl Table {
    /// In columns: the first to the left, numbers to the right.
    pub fn for_a_terminal(&self) -> String {
        let width = |column: usize| {
            let cells = self.lines.iter().filter(|line| line.len() > 1);
            let cells = cells.filter_map(|line| line.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.heading[column].chars().count()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.heading.len()).map(width).collect();
        let line = |cells: Vec<&str>| {
            let mut text = String::new();
            for (column, (cell, width)) in cells.into_iter().zip(&widths).enumerate() {
                text += &match column {
                    0 => format!("{cell:width$}"),
                    _ => format!("  {cell:>width$}"),
                };
            }
            text.trim_end().to_owned() + "\n"
        };
        let mut text = line(self.heading.clone());
        for cells in &self.lines {
            match &cells[..] {
                [heading] => text += &format!("-- {heading}\n"),
                cells => text += &line(cells.iter().map(String::as_str).collect()),
            }
        }
        text
    }

    /// In Markdown.
    pub fn for_the_book(&self) -> String {
        let rule = (0..self.heading.len()).map(|column| if column == 0 { "---|" } else { "--:|" });
        let mut text = format!("| {} |\n|{}\n", self.heading.join(" | "), rule.collect::<String>());
        for cells in &self.lines {
            text += &match &cells[..] {
                [heading] => {
                    format!("| **{heading}** |{}\n", " |".repeat(self.heading.len() - 1))
                }
                cells => format!("| {} |\n", cells.join(" | ")),
            };
        }
        text
    }
}

/// A number with as many digits as mean something: `0.12`, `1.23`, `12.3`, `123`.
pub fn shown(number: Option<f64>) -> String {
    match number {
        None => "–".into(),
        Some(number) if number.abs() >= 99.95 => format!("{number:.0}"),
        Some(number) if number.abs() >= 9.995 => format!("{number:.1}"),
        Some(number) => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let line = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        Table {
            heading: vec!["program", "ms"],
            lines: vec![line(&["some work"]), line(&["the floor", "1.50"]), line(&["a", "20.1"])],
        }
    }

    #[test]
    fn in_columns() {
        let expected = "program      ms\n-- some work\nthe floor  1.50\na          20.1\n";
        assert_eq!(table().for_a_terminal(), expected);
    }

    #[test]
    fn in_markdown() {
        let expected = "| program | ms |\n|---|--:|\n| **some work** | |\n| the floor | 1.50 |\n\
                        | a | 20.1 |\n";
        assert_eq!(table().for_the_book(), expected);
    }

    #[test]
    fn digits() {
        let all = [0.123, 9.994, 9.996, 12.34, 99.96, 1234.5, -0.5].map(|one| shown(Some(one)));
        assert_eq!(all, ["0.12", "9.99", "10.0", "12.3", "100", "1234", "-0.50"]);
        assert_eq!(shown(None), "–");
    }
}
