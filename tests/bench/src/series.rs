//! Does a cost grow in line with a number, or faster?

use std::fmt;

use crate::{
    measure::{Measured, Start},
    table::shown,
};

/// Commands that are the same but for a number.
pub struct Series {
    /// What the number counts.
    pub what: &'static str,
    /// The same in few words.
    pub short: &'static str,
    /// Whose cost it is.
    pub label: String,
    /// The number, the command, and how many of them start at once.
    pub points: Vec<Point>,
}

/// One of them.
pub struct Point {
    pub number: usize,
    pub start: Start,
    pub at_once: usize,
    /// How many one after another make one sample.
    pub in_a_row: usize,
    pub measured: Measured,
}

/// How a cost grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Growth {
    /// The most is not much above the least.
    None,
    /// Each further one costs at most as much as those before, in milliseconds.
    Linear(f64),
    /// The later ones cost more than the earlier ones: so many times as much.
    Faster(f64),
    /// Too few points.
    Unknown,
}

/// What counts as the same: other processes run, too.
const NOISE: f64 = 1.25;
/// How much more a later one may cost than an earlier one.
const TOLERANCE: f64 = 1.6;

/// How these points, number and milliseconds, grow: compares the slope of the last stretch with
/// the slope up to there.
pub fn growth(points: &[(f64, f64)]) -> Growth {
    let [first, .., before, last] = points else {
        return Growth::Unknown;
    };
    if last.1 <= first.1 * NOISE {
        return Growth::None;
    }
    let slope = |a: &(f64, f64), b: &(f64, f64)| (b.1 - a.1) / (b.0 - a.0);
    let (early, late) = (slope(first, before), slope(before, last));
    // Where the cost hardly grew up to there, a ratio says nothing.
    let has_grown = before.1 > first.1 * NOISE;
    if has_grown && late > early * TOLERANCE {
        return Growth::Faster(late / early);
    }
    Growth::Linear(slope(first, last))
}

impl Series {
    /// The points that were measured: number and shortest time. Of a few runs, the shortest is
    /// disturbed least by what else the machine does.
    pub fn times(&self) -> Vec<(f64, f64)> {
        let time = |point: &Point| Some((point.number as f64, point.measured.least()?));
        self.points.iter().filter_map(time).collect()
    }

    /// How it grows.
    pub fn growth(&self) -> Growth {
        growth(&self.times())
    }

    /// The first point that failed, and why.
    pub fn failure(&self) -> Option<(usize, &str)> {
        let mut failed = self
            .points
            .iter()
            .filter_map(|point| Some((point.number, point.measured.failure.as_deref()?)));
        failed.next()
    }

    /// The line of the terminal's table: whose, the times, and how they grow.
    pub fn line(&self) -> Vec<String> {
        let time = |(number, time): &(f64, f64)| format!("{number}: {}", shown(Some(*time)));
        let times: Vec<String> = self.times().iter().map(time).collect();
        vec![self.label.clone(), times.join(" · "), self.growth().to_string()]
    }

    /// The line of the book's table: the first and the last time only.
    pub fn short_line(&self) -> Vec<String> {
        let times = self.times();
        let at = |point: Option<&(f64, f64)>| shown(point.map(|(_, time)| *time));
        let (first, last) = (at(times.first()), at(times.last()));
        vec![self.label.clone(), first, last, self.growth().to_string()]
    }

    /// The heading of the book's table: from which number to which.
    pub fn span(&self) -> String {
        let number = |point: Option<&Point>| point.map_or(0, |point| point.number);
        let (first, last) = (number(self.points.first()), number(self.points.last()));
        format!("{}: {first} to {last}", self.what)
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Growth::None => f.write_str("not at all"),
            Growth::Linear(each) if *each >= 1.0 => {
                write!(f, "linear, {} ms each", shown(Some(*each)))
            }
            Growth::Linear(each) => write!(f, "linear, {} µs each", shown(Some(each * 1000.0))),
            Growth::Faster(times) => {
                write!(f, "faster: the last {} × the first", shown(Some(*times)))
            }
            Growth::Unknown => f.write_str("–"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_grow() {
        assert_eq!(growth(&[(1.0, 8.0), (10.0, 8.4), (100.0, 9.0)]), Growth::None);
        assert_eq!(growth(&[(1.0, 8.0), (10.0, 90.0)]), Growth::Unknown);
    }

    #[test]
    fn a_line_is_linear_wherever_its_points_are() {
        let line = |n: f64| (n, 8.0 + 0.1 * n);
        let points = [1.0, 10.0, 100.0, 200.0, 500.0].map(line);
        let Growth::Linear(each) = growth(&points) else {
            panic!("{:?}", growth(&points));
        };
        assert!((each - 0.1).abs() < 1e-9);
        assert!(matches!(growth(&[1.0, 10.0, 100.0].map(line)), Growth::Linear(_)));
    }

    #[test]
    fn a_square_is_faster() {
        let points = [1.0, 100.0, 200.0, 400.0].map(|n: f64| (n, 1.0 + n * n));
        assert!(matches!(growth(&points), Growth::Faster(_)), "{:?}", growth(&points));
    }
}
