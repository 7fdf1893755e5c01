use proptest::{collection::vec, prelude::*};

use super::*;

/// What a line says, read digit by digit; `None` if it is none.
fn model(text: &str) -> Option<[u64; 3]> {
    let mut numbers = vec![None];
    for letter in text.chars() {
        match (letter, numbers.last_mut()?) {
            (':', _) => numbers.push(None),
            (digit, number) => {
                let digit = u64::from(digit.to_digit(10)?);
                *number = Some((number.unwrap_or(0) * 10 + digit).min(1 << 40));
            }
        }
    }
    let [inside, outside, size] = <[_; 3]>::try_from(numbers).ok()?;
    let (line, most) = ([inside?, outside?, size?], u64::from(u32::MAX));
    let fits = line[2] > 0 && line[0] + line[2] <= most && line[1] + line[2] <= most;
    (fits && line.iter().all(|number| *number <= most)).then_some(line)
}

fn a_line_is_what_it_says(text: &str) {
    let read = text.parse::<MapLine>().ok();
    let fields = |line: MapLine| [line.inside, line.outside, line.size].map(u64::from);
    assert_eq!(read.map(fields), model(text), "{text:?}");
}

/// Each line that is read has three words, the three numbers.
fn a_file_has_no_other_lines(text: &str) {
    let read = MapLine::of_file(text);
    let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    for line in read {
        let says_so = |words: &Vec<&str>| {
            words.len() == 3
                && [line.inside, line.outside, line.size]
                    .iter()
                    .zip(words)
                    .all(|(number, word)| word.trim_start_matches('+').parse() == Ok(*number))
        };
        assert!(lines.any(|words| says_so(&words)), "{line} of {text:?}");
    }
}

fn line() -> impl Strategy<Value = MapLine> {
    (0..40_u32, 0..40_u32, 1..8_u32).prop_map(|(inside, outside, size)| MapLine {
        inside,
        outside,
        size,
    })
}

proptest! {
    #[test]
    fn any_text_is_a_line_or_is_refused(text in ".*") {
        a_line_is_what_it_says(&text);
        a_file_has_no_other_lines(&text);
    }

    #[test]
    fn what_is_nearly_a_line(text in "[+ -]?[0-9]{0,11}:[0-9]{0,11}:[0-9]{0,11}[: \0\n]?[0-9]?") {
        a_line_is_what_it_says(&text);
        a_file_has_no_other_lines(&text.replace(':', " "));
    }

    #[test]
    fn a_line_at_the_end_of_all_ids(inside: u32, outside: u32, size: u32, off in 0..3_u32) {
        let size = size.min(u32::MAX - inside.max(outside)).saturating_add(off);
        a_line_is_what_it_says(&format!("{inside}:{outside}:{size}"));
    }

    /// Against a list of all ids, one by one.
    #[test]
    fn a_map_has_no_id_twice(lines in vec(line(), 0..7), id in 0..50_u32) {
        let ids = |first: fn(&MapLine) -> u32| -> Vec<u32> {
            lines.iter().flat_map(|line| first(line)..first(line) + line.size).collect()
        };
        let has_twice = |mut ids: Vec<u32>| {
            let length = ids.len();
            ids.sort_unstable();
            ids.dedup();
            ids.len() < length
        };
        let (inside, outside) = (ids(|line| line.inside), ids(|line| line.outside));
        let makes_sense =
            !lines.is_empty() && !has_twice(inside.clone()) && !has_twice(outside);
        match IdMap::new("uid_map", lines.clone()) {
            Ok(map) => {
                prop_assert!(makes_sense);
                prop_assert_eq!(map.contains(id), inside.contains(&id));
                prop_assert_eq!(MapLine::of_file(&map.text()), lines);
            }
            Err(_) => prop_assert!(!makes_sense),
        }
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_map_line() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            a_line_is_what_it_says(text);
            a_file_has_no_other_lines(text);
        }
    });
}
