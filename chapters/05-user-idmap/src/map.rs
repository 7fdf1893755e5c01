// ANCHOR: line
//! What is an id map, and which maps make no sense?

use std::{fmt, str::FromStr};

use lab::Failure;

/// The kernel accepts this many lines in one map (user_namespaces(7)),
const MOST_LINES: usize = 340;
/// and this many bytes: one write of less than a page of 4096.
const MOST_BYTES: usize = 4095;

/// One line of a map: `size` ids from `inside` on are the ids from `outside` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapLine {
    /// The first id inside the user namespace.
    pub inside: u32,
    /// The first id outside, in the parent's user namespace.
    pub outside: u32,
    /// How many ids.
    pub size: u32,
}

impl MapLine {
    /// Root inside is this id outside.
    pub fn root(outside: u32) -> MapLine {
        MapLine {
            inside: 0,
            outside,
            size: 1,
        }
    }
}

impl MapLine {
    /// The lines of a map, as `/proc/PID/uid_map` has them.
    pub fn of_file(text: &str) -> Vec<MapLine> {
        let line = |line: &str| {
            let numbers: Vec<Option<u32>> =
                line.split_whitespace().map(|word| word.parse().ok()).collect();
            let [Some(inside), Some(outside), Some(size)] = numbers[..] else {
                return None;
            };
            Some(MapLine {
                inside,
                outside,
                size,
            })
        };
        text.lines().filter_map(line).collect()
    }
}

impl FromStr for MapLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split(':').collect();
        let [inside, outside, size] = fields[..] else {
            return Err("a map is three numbers, IN:OUT:SIZE, such as 0:1000:1".into());
        };
        let number = |name: &str, text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.then(|| text.parse::<u32>().ok()).flatten();
            number.ok_or_else(|| {
                format!("{name} is {text:?}, and should be a number from 0 to 4294967295")
            })
        };
        let line = MapLine {
            inside: number("IN", inside)?,
            outside: number("OUT", outside)?,
            size: number("SIZE", size)?,
        };
        if line.size == 0 {
            return Err("SIZE is 0: a line maps at least one id".into());
        }
        for (name, first) in [("IN", line.inside), ("OUT", line.outside)] {
            // 4294967295 is (uid_t) -1, which means "no id" in many system calls.
            if first.checked_add(line.size).is_none() {
                return Err(format!(
                    "{name} + SIZE is more than 4294967295: the largest id is 4294967294"
                ));
            }
        }
        Ok(line)
    }
}

impl fmt::Display for MapLine {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {} {}", self.inside, self.outside, self.size)
    }
}
// ANCHOR_END: line

// ANCHOR: map
/// A whole map, as the kernel takes it: at least one line, and no id twice on either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdMap {
    lines: Vec<MapLine>,
}

impl IdMap {
    /// Checks the lines. Errors call the map `name`.
    ///
    /// # Errors
    ///
    /// No line, more than 340, or two lines that overlap.
    pub fn new(name: &str, lines: Vec<MapLine>) -> anyhow::Result<IdMap> {
        if lines.is_empty() || lines.len() > MOST_LINES {
            return Err(Failure::usage(format!(
                "{name}: {} lines, the kernel takes 1 to {MOST_LINES}",
                lines.len()
            )));
        }
        for (index, one) in lines.iter().enumerate() {
            for other in &lines[..index] {
                let side = if overlap((one.inside, one.size), (other.inside, other.size)) {
                    "inside"
                } else if overlap((one.outside, one.size), (other.outside, other.size)) {
                    "outside"
                } else {
                    continue;
                };
                return Err(Failure::usage(format!(
                    "{name}: the lines \"{other}\" and \"{one}\" overlap {side}"
                )));
            }
        }
        let map = IdMap { lines };
        let length = map.text().len();
        if length > MOST_BYTES {
            let message =
                format!("{name}: {length} bytes of lines, the kernel takes {MOST_BYTES} at most");
            return Err(Failure::usage(message));
        }
        Ok(map)
    }

    /// As the kernel wants it: a line for each range.
    pub fn text(&self) -> String {
        // ANCHOR: exercise-lines
        let lines: Vec<String> = self.lines.iter().map(MapLine::to_string).collect();
        lines.join("\n")
        // ANCHOR_END: exercise-lines
    }

    /// The lines, in the order given.
    pub fn lines(&self) -> &[MapLine] {
        &self.lines
    }

    /// The first of its ids, in words.
    pub(crate) fn first(&self) -> String {
        let MapLine {
            inside, outside, ..
        } = self.lines[0];
        format!("{inside} is {outside}")
    }

    /// Whether the map contains this id inside.
    pub fn contains(&self, inside: u32) -> bool {
        self.lines
            .iter()
            .any(|line| inside.checked_sub(line.inside).is_some_and(|offset| offset < line.size))
    }

    /// Whether the map is the one line that an ordinary user may write: one id, its own.
    pub fn maps_only(&self, own: u32) -> bool {
        matches!(self.lines[..], [MapLine { outside, size: 1, .. }] if outside == own)
    }
}

impl fmt::Display for IdMap {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text().trim_end().replace('\n', ", "))
    }
}

fn overlap((one, one_size): (u32, u32), (other, other_size): (u32, u32)) -> bool {
    let [one, other] = [u64::from(one), u64::from(other)];
    one < other + u64::from(other_size) && other < one + u64::from(one_size)
}
// ANCHOR_END: map

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[&str]) -> anyhow::Result<IdMap> {
        IdMap::new("uid_map", lines.iter().map(|line| line.parse().unwrap()).collect())
    }

    #[test]
    fn a_line_is_three_numbers() {
        assert_eq!(
            "0:1000:1".parse(),
            Ok(MapLine {
                inside: 0,
                outside: 1000,
                size: 1
            })
        );
        assert_eq!(
            "0:0:4294967295".parse(),
            Ok(MapLine {
                inside: 0,
                outside: 0,
                size: u32::MAX
            })
        );
        for wrong in [
            "",
            "0",
            "0:1",
            "0:1:2:3",
            "a:1:1",
            "0:-1:1",
            "0:1:",
            "+0:1:1",
            "0:4294967296:1",
            " 0:1:1",
        ] {
            assert!(wrong.parse::<MapLine>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_line_has_ids_and_no_more_than_there_are() {
        for wrong in ["0:0:0", "1:0:4294967295", "0:1:4294967295", "4294967295:0:1"] {
            assert!(wrong.parse::<MapLine>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn lines_do_not_overlap_on_either_side() {
        assert!(map(&["0:1000:1", "1:100000:65535"]).is_ok());
        assert!(
            map(&["0:1000:2", "1:100000:1"])
                .unwrap_err()
                .to_string()
                .contains("overlap inside")
        );
        assert!(
            map(&["0:1000:2", "5:1001:1"])
                .unwrap_err()
                .to_string()
                .contains("overlap outside")
        );
    }

    #[test]
    fn a_map_has_1_to_340_lines() {
        assert!(map(&[]).is_err());
        let line = |n: u32| MapLine {
            inside: n,
            outside: n,
            size: 1,
        };
        assert!(IdMap::new("uid_map", (0..340).map(line).collect()).is_ok());
        assert!(IdMap::new("uid_map", (0..341).map(line).collect()).is_err());
    }

    #[test]
    fn a_line_of_a_file_is_three_numbers_and_nothing_else() {
        let [one, two] = ["0:1000:1", "1:100000:65536"].map(|line| line.parse().unwrap());
        let text = "         0       1000          1\n         1     100000      65536\n";
        assert_eq!(MapLine::of_file(text), [one, two]);
        assert_eq!(MapLine::of_file("0 1000\n0 1000 1 x\n0 x 1000 1\n0 1000 1 1\n"), []);
    }

    #[test]
    fn a_map_knows_which_ids_it_contains() {
        let map = map(&["0:1000:1", "10:2000:5"]).unwrap();
        let inside: Vec<u32> = (0..20).filter(|id| map.contains(*id)).collect();
        assert_eq!(inside, [0, 10, 11, 12, 13, 14]);
    }
}
