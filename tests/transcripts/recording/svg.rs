//! How is a terminal drawn, so that it can be read in any browser, and be read back?
//!
//! A line of the terminal is a line of the file. It appears when it was written; where nothing
//! moves (a printer, a reader who wants no motion), all lines are there.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use anyhow::{Context, ensure};
use libtest_mimic::Trial;
use regex::Regex;

use super::{Line, Span, Style};
use crate::harness::trial;

const BACKGROUND: u32 = 0x15_1a_21;
const FOREGROUND: u32 = 0xe6_ed_f3;

/// The first 16 colours: the eight of console_codes(4), and brighter ones. Black is a grey, or it
/// could not be seen.
const NAMED: [u32; 16] = [
    0xb1_ba_c4, 0xff_7b_72, 0x7e_e7_87, 0xe3_b3_41, 0x79_c0_ff, 0xd2_a8_ff, 0x56_d4_dd, 0xe6_ed_f3,
    0xb1_ba_c4, 0xff_a1_98, 0x9b_e9_a8, 0xf2_cc_60, 0xa5_d6_ff, 0xe2_c5_ff, 0x8b_e9_f0, 0xff_ff_ff,
];

/// Sizes in the units of the SVG.
const WIDTH: usize = 930;
const TOP: usize = 52;
const LINE: usize = 19;

/// After how many seconds a line appears that was typed, or printed, after the one before.
const TYPED: f64 = 1.2;
const PRINTED: f64 = 0.06;

impl Style {
    fn class(self) -> String {
        let mut class = self.colour.map_or("own".to_owned(), |colour| format!("c{colour}"));
        class.extend(self.is_bold.then_some("-bold"));
        class.extend(self.is_dim.then_some("-dim"));
        class
    }

    fn of_class(class: &str) -> anyhow::Result<Style> {
        let colour = class.split('-').next().unwrap_or_default();
        Ok(Style {
            colour: match colour {
                "own" => None,
                colour => Some(colour.trim_start_matches('c').parse().context("a colour")?),
            },
            is_bold: class.contains("-bold"),
            is_dim: class.contains("-dim"),
        })
    }

    /// Red, green and blue.
    fn rgb(self) -> u32 {
        let colour = match self.colour {
            None => FOREGROUND,
            Some(named @ 0..16) => NAMED[usize::from(named)],
            Some(208) => 0xff_a6_57, // the inside's orange, as light as the others
            Some(cube @ 16..232) => {
                let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * u32::from(n) };
                let cube = cube - 16;
                step(cube / 36) << 16 | step(cube / 6 % 6) << 8 | step(cube % 6)
            }
            Some(grey) => (8 + 10 * u32::from(grey - 232)) * 0x01_01_01,
        };
        let part = |shift: u32| {
            let (own, behind) = (colour >> shift & 255, BACKGROUND >> shift & 255);
            (if self.is_dim {
                (own * 8 + behind * 2) / 10
            } else {
                own
            }) << shift
        };
        part(16) | part(8) | part(0)
    }
}

pub fn write(file: &Path, lines: &[Line], title: &str) -> anyhow::Result<()> {
    let drawn = drawn(lines, title);
    if fs::read_to_string(file).is_ok_and(|written| written == drawn) {
        return Ok(());
    }
    println!("rewriting {}", file.display());
    fs::create_dir_all(file.parent().context("a file is in a folder")?)?;
    fs::write(file, drawn).with_context(|| format!("write {}", file.display()))
}

pub fn drawn(lines: &[Line], title: &str) -> String {
    let height = TOP + LINE * lines.len() + 8;
    let styles: BTreeSet<Style> =
        lines.iter().flat_map(|line| &line.spans).map(|span| span.style).collect();
    let classes = styles.iter().map(|style| {
        let weight = if style.is_bold {
            ";font-weight:bold"
        } else {
            ""
        };
        format!(".{}{{fill:#{:06x}{weight}}}\n", style.class(), style.rgb())
    });
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"title\">\n<title id=\"title\">{}</title>\n<style>\n\
         text{{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;\
         white-space:pre}}\n{}\
         g{{animation:appear .1s both}}\n@keyframes appear{{from{{opacity:0}}}}\n\
         @media print,(prefers-reduced-motion:reduce){{g{{animation:none}}}}\n</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"10\" fill=\"#{BACKGROUND:06x}\"/>\n\
         <circle cx=\"22\" cy=\"20\" r=\"6\" fill=\"#ff5f57\"/>\
         <circle cx=\"42\" cy=\"20\" r=\"6\" fill=\"#febc2e\"/>\
         <circle cx=\"62\" cy=\"20\" r=\"6\" fill=\"#28c840\"/>\n",
        escaped(title),
        classes.collect::<String>()
    );
    let mut seconds = 0.0;
    for (number, line) in lines.iter().enumerate() {
        let is_typed = line.spans.iter().any(|span| span.style.is_bold);
        seconds += if is_typed { TYPED } else { PRINTED };
        let spans = line.spans.iter().map(|Span { style, text }| {
            format!("<tspan class=\"{}\">{}</tspan>", style.class(), escaped(text))
        });
        writeln!(
            text,
            "<g style=\"animation-delay:{seconds:.2}s\"><text x=\"18\" y=\"{}\" \
             xml:space=\"preserve\">{}</text></g>",
            TOP + LINE * number,
            spans.collect::<String>()
        )
        .expect("a string takes everything");
    }
    text + "</svg>\n"
}

/// What was drawn.
pub fn lines_of(svg: &str) -> anyhow::Result<Vec<Line>> {
    let span = Regex::new(r#"<tspan class="([^"]+)">([^<]*)</tspan>"#)?;
    let line = |text: &str| {
        let spans = span.captures_iter(text).map(|found| {
            let text = found[2].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let style = Style::of_class(&found[1])?;
            Ok(Span { style, text })
        });
        let spans = spans.collect::<anyhow::Result<_>>()?;
        Ok(Line { spans })
    };
    svg.lines().filter(|text| text.contains("<text ")).map(line).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The contrast of a colour with the background (WCAG 2, "contrast ratio").
fn contrast(colour: u32) -> f64 {
    let luminance = |colour: u32| {
        let part = |shift: u32, weight: f64| {
            let part = f64::from(colour >> shift & 255) / 255.0;
            let linear = match part <= 0.04045 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            };
            linear * weight
        };
        part(16, 0.2126) + part(8, 0.7152) + part(0, 0.0722)
    };
    (luminance(colour) + 0.05) / (luminance(BACKGROUND) + 0.05)
}

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a drawn terminal is read back without loss", || {
            let text = "\x1b[36ma<b> & c\x1b[0m  d\r\n\r\n\x1b[38;5;208;1me\x1b[22;2mf\r\n";
            let lines = super::screen::lines_of(text)?;
            ensure!(lines_of(&drawn(&lines, "t"))? == lines, "{}", drawn(&lines, "t"));
            Ok(())
        }),
        trial("every colour of a drawn terminal can be read", || {
            for colour in [None, Some(208)].into_iter().chain((0..16).map(Some)) {
                for is_dim in [false, true] {
                    let style = Style {
                        colour,
                        is_bold: false,
                        is_dim,
                    };
                    let found = contrast(style.rgb());
                    ensure!(found >= 4.5, "{style:?} has a contrast of {found:.2}");
                }
            }
            Ok(())
        }),
    ]
}
