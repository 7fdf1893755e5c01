//! How are the medians drawn?
//!
//! An SVG as CONTRIBUTING.md wants it: 360 units wide, in the classes of `book/theme/tower.css`.
//! Times differ by a factor of a hundred, so the axis is logarithmic, and a dot is where a bar
//! would end.

use std::fmt::Write;

use crate::{
    starts::{Kind, Starts},
    table::shown,
};

const LEFT: f64 = 152.0;
const RIGHT: f64 = 316.0;
const ROW: f64 = 18.0;
const TICKS: [f64; 9] = [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

const LOOK: &str = r#"font-size="12" fill="currentColor" role="img" aria-labelledby="costs-title""#;
const TITLE: &str = "The median time of each start, on a logarithmic axis in milliseconds. The \
    table has the same numbers.";
const CAPTION: &str = "Median times in milliseconds; the axis is logarithmic. A bar is the floor \
    of the work, a disc a stage, and a ring what else does the work.";

/// The drawing.
pub fn of(starts: &Starts) -> String {
    let medians = || starts.rows.iter().filter_map(|row| row.measured.median());
    let (least, most) = (medians().fold(f64::MAX, f64::min), medians().fold(0.0, f64::max));
    let low = TICKS.into_iter().rfind(|tick| *tick <= least).unwrap_or(TICKS[0]);
    let high = most.max(low * 2.0);
    let x = |time: f64| LEFT + (RIGHT - LEFT) * (time / low).ln() / (high / low).ln();
    let (mut lines, mut texts) = (String::new(), String::new());
    let mut y = 22.0;
    let top = y;
    for (work, name) in starts.works.iter().enumerate() {
        y += ROW;
        put(&mut texts, 4.0, y, r#"font-weight="bold""#, name);
        for row in starts.rows.iter().filter(|row| row.work == work) {
            let Some(median) = row.measured.median() else {
                continue;
            };
            y += ROW;
            let class = class(row.kind);
            put(&mut texts, 12.0, y, class, &row.label);
            put(
                &mut texts,
                356.0,
                y,
                &format!(r#"text-anchor="end" {class}"#),
                &shown(Some(median)),
            );
            mark(&mut lines, row.kind, x(median), y - 4.0);
        }
    }
    let mut grid = String::new();
    for tick in TICKS.into_iter().filter(|tick| (low..=high).contains(tick)) {
        let at = x(tick);
        let _ = writeln!(grid, r#"<path d="M{at:.1} {top:.0}V{:.0}"/>"#, y + 4.0);
        put(
            &mut texts,
            at,
            14.0,
            r#"text-anchor="middle" class="d-quiet""#,
            &tick.to_string(),
        );
    }
    put(&mut texts, 356.0, 14.0, r#"text-anchor="end" class="d-quiet""#, "ms");
    let height = y + 12.0;
    format!(
        r#"<figure class="drawing">
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 {height:.0}" {LOOK}>
<title id="costs-title">{TITLE}</title>
<g stroke="currentColor" stroke-width="0.6" opacity="0.3" fill="none">
{grid}</g>
{lines}{texts}</svg>
<figcaption>{CAPTION}</figcaption>
</figure>
"#
    )
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Plain | Kind::Floor => r#"class="d-quiet""#,
        Kind::Stage => r#"class="d-inside""#,
        Kind::Peer => r#"class="d-outside""#,
    }
}

/// Kinds differ in their shape too, not only in their colour.
fn mark(lines: &mut String, kind: Kind, x: f64, y: f64) {
    let at = format!(r#"cx="{x:.1}" cy="{y:.1}""#);
    let _ = match kind {
        Kind::Plain | Kind::Floor => {
            let way = format!(r#"d="M{x:.1} {:.1}v12""#, y - 6.0);
            writeln!(lines, r#"<path {way} stroke="currentColor" stroke-width="3"/>"#)
        }
        Kind::Stage => writeln!(lines, r#"<circle class="f-inside" {at} r="4.5"/>"#),
        Kind::Peer => {
            let ring = r#"r="3.8" fill="none" stroke-width="2""#;
            writeln!(lines, r#"<circle class="d-outside" {at} {ring}/>"#)
        }
    };
}

fn put(texts: &mut String, x: f64, y: f64, attributes: &str, text: &str) {
    let _ = writeln!(texts, r#"<text x="{x:.1}" y="{y:.0}" {attributes}>{text}</text>"#);
}
