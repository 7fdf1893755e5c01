//! Which numbers may the cost of a start grow with?

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::Context;
use judge::User;

use crate::{
    measure::{Measured, Start},
    place::{LIMIT, give},
    series::{Point, Series},
    starts::{LAST, Maker, SIX},
};

/// The stages that are measured.
const STAGES: [&str; 2] = ["09-aufs", LAST];
/// The ids outside of root's containers, from stage 12 on (`c/floor.h` has them, too).
const SHIFTED: u32 = 1_879_048_192;
/// How often a command runs in one round.
const RUNS: usize = 3;
/// How long a word of a long command line is.
const WORD: usize = 1024;

/// All series, with the files that they need.
///
/// # Errors
///
/// A file cannot be made.
pub fn all(maker: &Maker) -> anyhow::Result<Vec<Series>> {
    let mut all = Vec::new();
    layers(maker, &mut all)?;
    in_a_row(maker, &mut all);
    at_once(maker, &mut all);
    messages(maker, &mut all);
    if maker.place.user == User::Root {
        id_maps(maker, &mut all);
    }
    image_files(maker, &mut all)?;
    changes(maker, &mut all)?;
    Ok(all)
}

/// A series; `words` makes the command of a number.
fn series(
    all: &mut Vec<Series>,
    (short, what): (&'static str, &'static str),
    label: &str,
    numbers: &[usize],
    start: impl Fn(usize) -> Start,
) {
    let point = |&number: &usize| Point {
        number,
        start: start(number),
        at_once: 1,
        in_a_row: RUNS,
        measured: Measured::default(),
    };
    all.push(Series {
        what,
        short,
        label: label.to_owned(),
        points: numbers.iter().map(point).collect(),
    });
}

/// `run` without a log, with these words, and the payload.
fn run(maker: &Maker, stage: &str, words: &[String]) -> Start {
    aloud(maker, stage, &[&["-q".to_owned()], words].concat())
}

/// The same with a log, unless the words say otherwise.
fn aloud(maker: &Maker, stage: &str, words: &[String]) -> Start {
    let mut arguments = vec!["run"];
    arguments.extend(words.iter().map(String::as_str));
    arguments.extend(["--", "/true"]);
    maker.stage(&format!("stages/{stage}"), &arguments)
}

/// The options for these layers.
fn named(layers: &[String]) -> Vec<String> {
    layers.iter().flat_map(|layer| ["--layer".to_owned(), layer.clone()]).collect()
}

fn layers(maker: &Maker, all: &mut Vec<Series>) -> anyhow::Result<()> {
    const WHAT: (&str, &str) = ("image layers", "image layers");
    // Overlay takes 500 at the most (OVL_MAX_STACK).
    let numbers = [1, 10, 50, 100, 250, 500];
    (0..500).try_for_each(|layer| maker.place.layer(layer).map(drop))?;
    let floor = |number| {
        let parts = SIX.map(String::from).into_iter().chain(maker.layered(number));
        maker.floor(&parts.collect::<Vec<_>>(), "/true".into())
    };
    series(all, WHAT, "the floor", &numbers, floor);
    for stage in STAGES {
        series(all, WHAT, stage, &numbers, |number| {
            let layer = |index| maker.text(&format!("layers/{index}"));
            run(maker, stage, &named(&(0..number).map(layer).collect::<Vec<_>>()))
        });
    }
    Ok(())
}

fn rootfs(maker: &Maker) -> [String; 2] {
    ["--rootfs".into(), maker.text("rootfs")]
}

fn limited(maker: &Maker) -> Vec<String> {
    let limit = maker.place.group().map(|_| ["-m".to_owned(), LIMIT.to_owned()]);
    rootfs(maker).into_iter().chain(limit.into_iter().flatten()).collect()
}

/// The floor, with the same root file system and limit.
fn floor_of_a_rootfs(maker: &Maker) -> Start {
    let rootfs = format!("rootfs={}", maker.text("rootfs"));
    let parts = SIX.map(String::from).into_iter().chain([rootfs]).chain(maker.limited());
    maker.floor(&parts.collect::<Vec<_>>(), "/true".into())
}

fn in_a_row(maker: &Maker, all: &mut Vec<Series>) {
    const WHAT: (&str, &str) = ("one after another", "containers one after another (the last's)");
    let numbers = [1, 10, 100, 500];
    let first = all.len();
    series(all, WHAT, "the floor", &numbers, |_| floor_of_a_rootfs(maker));
    for stage in STAGES {
        series(all, WHAT, stage, &numbers, |_| run(maker, stage, &limited(maker)));
    }
    for point in all[first..].iter_mut().flat_map(|series| &mut series.points) {
        point.in_a_row = point.number;
    }
}

fn at_once(maker: &Maker, all: &mut Vec<Series>) {
    const WHAT: (&str, &str) = ("at once", "containers at once, until all have ended");
    let numbers = [1, 4, 16, 32, 64];
    let first = all.len();
    series(all, WHAT, "the floor", &numbers, |_| floor_of_a_rootfs(maker));
    for stage in STAGES {
        series(all, WHAT, stage, &numbers, |_| run(maker, stage, &limited(maker)));
    }
    for point in all[first..].iter_mut().flat_map(|series| &mut series.points) {
        point.at_once = point.number;
        point.in_a_row = if point.number > 16 { 1 } else { RUNS };
    }
}

fn messages(maker: &Maker, all: &mut Vec<Series>) {
    const WHAT: (&str, &str) = ("KiB of words", "KiB of the command's words");
    let numbers = [1, 64, 256, 512, 1024];
    let long = |mut start: Start, number| {
        let word = "x".repeat(WORD - 1);
        start.words.extend((0..number).map(|_| word.clone().into()));
        start
    };
    let parts: Vec<String> = SIX.into_iter().chain(["reexec", "pipe"]).map(String::from).collect();
    let payload = || maker.payload();
    series(all, WHAT, "the floor, with a channel", &numbers, |number| {
        long(maker.floor(&parts, payload().into()), number)
    });
    for stage in ["08-pipe-init", LAST] {
        let words = if stage == LAST {
            rootfs(maker).to_vec()
        } else {
            vec![]
        };
        series(all, WHAT, stage, &numbers, |number| {
            let mut start = run(maker, stage, &words);
            if stage != LAST {
                start.words.pop();
                start.words.push(payload().into());
            }
            long(start, number)
        });
    }
}

fn id_maps(maker: &Maker, all: &mut Vec<Series>) {
    const WHAT: (&str, &str) = ("lines of id maps", "lines of each id map");
    let numbers = [1, 40, 170, 340];
    series(all, WHAT, "the floor", &numbers, |number| {
        let parts = SIX.map(String::from).into_iter().chain([format!("lines={number}")]);
        maker.floor(&parts.collect::<Vec<_>>(), maker.payload().into())
    });
    for stage in STAGES {
        series(all, WHAT, stage, &numbers, |number| {
            let line = |id| {
                let map = format!("{id}:{id}:1");
                ["--uid-map".to_owned(), map.clone(), "--gid-map".to_owned(), map]
            };
            let words = (0..number).flat_map(line).chain(rootfs(maker));
            run(maker, stage, &words.collect::<Vec<_>>())
        });
    }
}

/// Files in `folder`, in folders of a hundred.
fn fill(folder: &Path, files: usize) -> anyhow::Result<()> {
    for number in 0..files {
        let sub = folder.join(format!("d{}", number / 100));
        if number % 100 == 0 {
            fs::create_dir_all(&sub).with_context(|| format!("make {}", sub.display()))?;
        }
        File::create(sub.join(format!("f{number}"))).context("make a file")?;
    }
    Ok(())
}

fn image_files(maker: &Maker, all: &mut Vec<Series>) -> anyhow::Result<()> {
    let numbers = [1, 1_000, 10_000, 50_000];
    for number in numbers {
        let folder = maker.place.folder.join(format!("image-{number}"));
        fs::create_dir(&folder).context("make a layer")?;
        fill(&folder, number)?;
        maker.place.give_away(&folder)?;
    }
    for stage in STAGES {
        let what = ("files in a layer", "files in an image layer");
        series(all, what, stage, &numbers, |number| {
            let layers = [maker.text("layers/0"), maker.text(&format!("image-{number}"))];
            run(maker, stage, &named(&layers))
        });
    }
    Ok(())
}

/// The container layer stays as it is from run to run: it is kept. Without a log, a stage would not
/// look for changes.
fn changes(maker: &Maker, all: &mut Vec<Series>) -> anyhow::Result<()> {
    let numbers = [1, 1_000, 10_000, 25_000, 50_000];
    let name = |stage: &str, number| format!("changed-{stage}-{number}");
    for stage in STAGES {
        for number in numbers {
            let folder = maker.place.folder.join(name(stage, number));
            fs::create_dir(&folder).context("make a layer")?;
            fill(&folder, number)?;
            match (maker.place.user, stage) {
                (User::Root, LAST) => give(&folder, SHIFTED, SHIFTED)?,
                _ => maker.place.give_away(&folder)?,
            }
        }
        let what = ("changes", "changes in a container layer");
        series(all, what, stage, &numbers, |number| {
            let mut words = named(&[maker.text("layers/0")]);
            words.extend(["--container-layer".to_owned(), maker.text(&name(stage, number))]);
            aloud(maker, stage, &words)
        });
    }
    Ok(())
}
