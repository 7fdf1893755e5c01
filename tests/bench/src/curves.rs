//! How is the growth drawn?
//!
//! A small panel for each number, two in a row. Both axes begin at zero and are linear: what is
//! linear is a straight line.

use std::fmt::Write;

use crate::{series::Series, table::shown};

const WIDTH: f64 = 172.0;
const HEIGHT: f64 = 128.0;
/// Of a panel: where its curves are.
const LEFT: f64 = 6.0;
const TOP: f64 = 38.0;
const BOTTOM: f64 = 104.0;

const LOOK: &str =
    r#"font-size="12" fill="currentColor" role="img" aria-labelledby="growth-title""#;
const TITLE: &str = "A panel for each number that grows, with a curve for each program. Both axes \
    are linear and begin at zero. The table has the same numbers.";
const CAPTION: &str = "What is linear is a straight line. Discs are the earlier stage, rings the \
    last one, and lines without marks the floor. The number in the corner is the longest time in \
    milliseconds.";

/// The drawing.
pub fn of(all: &[Series]) -> String {
    let mut whats: Vec<&str> = all.iter().map(|series| series.what).collect();
    whats.dedup();
    let mut panels = String::new();
    for (index, what) in whats.iter().enumerate() {
        let (x, y) = ((index % 2) as f64 * (360.0 - WIDTH), (index / 2) as f64 * HEIGHT);
        let of_panel: Vec<&Series> = all.iter().filter(|series| series.what == *what).collect();
        let _ = writeln!(panels, r#"<g transform="translate({x:.0} {y:.0})">"#);
        panel(&mut panels, &of_panel);
        panels += "</g>\n";
    }
    let height = whats.len().div_ceil(2) as f64 * HEIGHT;
    format!(
        r#"<figure class="drawing">
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 {height:.0}" {LOOK}>
<title id="growth-title">{TITLE}</title>
{panels}</svg>
<figcaption>{CAPTION}</figcaption>
</figure>
"#
    )
}

fn panel(text: &mut String, of_panel: &[&Series]) {
    let (mut most_x, mut most_y) = (0.0, 0.0);
    for (x, y) in of_panel.iter().flat_map(|series| series.times()) {
        (most_x, most_y) = (f64::max(most_x, x), f64::max(most_y, y));
    }
    let Some(what) = of_panel.first().map(|series| series.short) else {
        return;
    };
    let _ = writeln!(text, r#"<text x="{LEFT}" y="14" font-weight="bold">{what}</text>"#);
    let number = shown(Some(most_y));
    let _ = writeln!(text, r#"<text x="{LEFT}" y="32" class="d-quiet">{number} ms</text>"#);
    let axes = format!("M{LEFT} {TOP}V{BOTTOM}H{WIDTH}");
    let _ = writeln!(text, r#"<path d="{axes}" fill="none" stroke="currentColor" opacity="0.4"/>"#);
    let place = r#"text-anchor="end" class="d-quiet""#;
    let _ = writeln!(text, r#"<text x="{WIDTH}" y="119" {place}>{most_x}</text>"#);
    for series in of_panel {
        let at = |(x, y): (f64, f64)| {
            let (x, y) = (x / most_x * (WIDTH - LEFT - 6.0), y / most_y * (BOTTOM - TOP));
            (LEFT + x, BOTTOM - y)
        };
        let points: Vec<(f64, f64)> = series.times().into_iter().map(at).collect();
        curve(text, &series.label, &points);
    }
}

fn curve(text: &mut String, label: &str, points: &[(f64, f64)]) {
    let (class, mark) = match label {
        label if label.starts_with("the floor") => ("", ""),
        crate::starts::LAST => ("d-outside", r#"fill="none" stroke-width="1.6""#),
        _ => ("d-inside", r#"fill="currentColor""#),
    };
    let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        text,
        r#"<polyline class="{class}" points="{}" fill="none" stroke="currentColor"/>"#,
        line.join(" ")
    );
    if mark.is_empty() {
        return;
    }
    let class = if mark.contains("none") {
        class
    } else {
        "f-inside"
    };
    for (x, y) in points {
        let at = format!(r#"cx="{x:.1}" cy="{y:.1}""#);
        let _ = writeln!(text, r#"<circle class="{class}" {at} r="2.6" {mark}/>"#);
    }
}
