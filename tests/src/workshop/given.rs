//! How does a stage run while a piece of it is not the learner's yet?
//!
//! An exercise hands out the whole stage, and its own piece is taken out. The pieces of the
//! chapter's other exercises are not there either: the learner would read the next answer a few
//! lines below this one. Each is in a file of its own, `given/NAME.rs`, and the source includes it
//! (`include!`, which is unhygienic: the piece uses the variables around it). So the stage runs
//! from the first exercise on, and nobody sees an answer who does not open that file.

use super::{
    exercise::Hole,
    source::{self, indented},
};

/// What a piece is given as.
pub struct Given {
    /// The file with the piece, from the crate's folder on; `None` if the piece stays where it is:
    /// a part of a statement cannot be included.
    pub file: Option<(String, String)>,
    /// The chapter's text, with the piece given.
    pub text: String,
}

impl Given {
    /// The piece that `hole` takes out of this text, given to the learner of another exercise;
    /// `number` is the hole's exercise. `None` if the text has no such piece.
    pub fn of(text: &str, hole: &Hole, number: usize) -> Option<Given> {
        let piece = source::piece_of(text, &hole.anchor)?;
        let Some((line, wrapped)) = form(hole, &source::without_anchors(piece), number) else {
            return Some(Given {
                file: None,
                text: text.to_owned(),
            });
        };
        Some(Given {
            file: Some((path(hole), wrapped)),
            text: source::with_answer(text, &hole.anchor, &indented(piece, &line))?,
        })
    }
}

/// Where the piece is, from the crate's folder on.
pub fn path(hole: &Hole) -> String {
    format!("given/{}.rs", hole.anchor.trim_start_matches("exercise-"))
}

/// Whether this text includes the piece.
pub fn is_given(text: &str, hole: &Hole) -> bool {
    text.contains(&included(hole))
}

/// The text with the hole in place of the line that includes the piece; `None` if there is not
/// exactly one.
pub fn opened(text: &str, hole: &Hole) -> Option<String> {
    let word = included(hole);
    let mut lines = text.split_inclusive('\n').filter(|line| line.contains(&word));
    let (line, None) = (lines.next()?, lines.next()) else {
        return None;
    };
    Some(text.replacen(line, &indented(line, &hole.put), 1))
}

/// The string after `include!`. All sources are in `src` itself.
fn included(hole: &Hole) -> String {
    format!("\"../{}\"", path(hole))
}

/// The line that includes the piece, and the included file: one expression.
fn form(hole: &Hole, piece: &str, number: usize) -> Option<(String, String)> {
    let file = included(hole);
    let until = format!("// given, until exercise {number}");
    let block = |value: &str| format!("{{\n{piece}{value}}}\n");
    // `let NAME: TYPE = todo!(…);`, `pub const NAME: TYPE = …`
    let bound = ["let ", "pub const "].iter().find_map(|word| {
        let (left, _) = hole.put.split_once(" = ")?;
        let (name, _) = left.strip_prefix(word)?.split_once(": ")?;
        Some((left, name))
    });
    if let Some((left, name)) = bound {
        let line = format!("{left} = include!({file}); {until}");
        return Some((line, block(&format!("{name}\n"))));
    }
    if hole.put.starts_with("_ => todo!") {
        let line = format!("_ => include!({file}), {until}");
        return Some((line, format!("match () {{\n{piece}}}\n")));
    }
    let is_part = hole.put.contains("// todo!");
    (!is_part).then(|| (format!("include! {{ {file} }} {until}"), block("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hole(put: &str) -> Hole {
        Hole {
            anchor: "exercise-a".into(),
            put: put.into(),
        }
    }

    fn given(put: &str, piece: &str) -> (String, Option<String>) {
        let text = format!("    // ANCHOR: exercise-a\n{piece}    // ANCHOR_END: exercise-a\n");
        let given = Given::of(&text, &hole(put), 2).unwrap();
        (source::without_anchors(&given.text), given.file.map(|(_, text)| text))
    }

    #[test]
    fn a_piece_is_one_expression_in_another_file() {
        for (put, piece, line, file) in [
            (
                "todo!(\"it\");",
                "    f()?;\n    Ok(x)\n",
                "    include! { \"../given/a.rs\" } // given, until exercise 2\n",
                "{\n    f()?;\n    Ok(x)\n}\n",
            ),
            (
                "let here: bool = todo!(\"it\");",
                "    let here = f();\n",
                "    let here: bool = include!(\"../given/a.rs\"); // given, until exercise 2\n",
                "{\n    let here = f();\nhere\n}\n",
            ),
            (
                "_ => todo!(\"it\"),",
                "    _ => f(),\n",
                "    _ => include!(\"../given/a.rs\"), // given, until exercise 2\n",
                "match () {\n    _ => f(),\n}\n",
            ),
        ] {
            assert_eq!(given(put, piece), (line.into(), Some(file.into())));
            assert_eq!(opened(line, &hole(put)).unwrap(), format!("    {put}\n"));
            assert!(is_given(line, &hole(put)));
        }
    }

    #[test]
    fn a_part_of_a_statement_stays() {
        let piece = "    let child = spawn(A | B, || {\n";
        let put = "let child = spawn(A, || { // todo!(\"it\")";
        assert_eq!(given(put, piece), (piece.into(), None));
    }

    #[test]
    fn what_a_learner_has_written_in_its_place_is_not_overwritten() {
        let hole = hole("todo!(\"it\");");
        let line = "include! { \"../given/a.rs\" }\n";
        assert!(opened("mine();\n", &hole).is_none());
        assert!(opened(&[line, line].concat(), &hole).is_none());
    }
}
