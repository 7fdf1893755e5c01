//! How is growth measured and shown?

use crate::{
    curves, interrupt, numbers,
    report::Report,
    series::{Point, Series},
    starts::Maker,
    table::Table,
};

/// Measures all, prints and reports it.
///
/// # Errors
///
/// A file cannot be made; it is interrupted.
pub fn measure(maker: &Maker, rounds: usize, report: &mut Report) -> anyhow::Result<()> {
    let mut all = numbers::all(maker)?;
    for round in 0..=rounds {
        eprint!("\rround {round} of {rounds} ");
        let mut order: Vec<(usize, usize)> = Vec::new();
        for (index, series) in all.iter().enumerate() {
            order.extend((0..series.points.len()).map(|point| (index, point)));
        }
        fastrand::shuffle(&mut order);
        for (index, point) in order {
            interrupt::check()?;
            sample(maker, &mut all[index].points[point], round > 0);
        }
    }
    eprintln!();
    show(&all, report);
    Ok(())
}

fn sample(maker: &Maker, point: &mut Point, counts: bool) {
    if point.measured.failure.is_some() {
        return;
    }
    let stopwatch = maker.programs.path("stopwatch");
    let mut samples = Vec::new();
    let runs = if counts { point.in_a_row } else { 1 };
    let timed = point.start.time(&stopwatch, runs, point.at_once, &mut samples);
    point.measured.failure = timed.err().map(|error| format!("{error:#}"));
    if counts {
        // Of a row, the number is about the last runs.
        let from = samples.len().saturating_sub(10);
        point.measured.samples.extend(samples.split_off(from));
    }
}

fn show(all: &[Series], report: &mut Report) {
    let (mut long, mut short) = (Vec::new(), Vec::new());
    let mut what = "";
    for series in all {
        if series.what != what {
            what = series.what;
            long.push(vec![what.to_owned()]);
            short.push(vec![series.span()]);
        }
        long.push(series.line());
        short.push(series.short_line());
    }
    let (long, short) = (
        Table {
            heading: vec!["whose", "ms", "it grows"],
            lines: long,
        },
        Table {
            heading: vec!["whose", "first ms", "last ms", "it grows"],
            lines: short,
        },
    );
    println!("\n{}", long.for_a_terminal());
    for series in all {
        if let Some((number, failure)) = series.failure() {
            let label = format!("{}, {}, {number}", series.what, series.label);
            report.failed(&label, failure);
        }
    }
    report.add("growth.md", short.for_the_book());
    report.add("growth.svg", curves::of(all));
}
