//! Further, chapter 9: the changes, for a machine.

use std::fs;

use anyhow::{Context, ensure};

use super::{Check, holds};
use crate::{
    Bench,
    layered::{container, script, with_inside},
    told::must_list,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    9,
    "--changes writes down what the container changed",
    "a list for a machine is complete and has one form: every change of the container layer, a \
     letter and the path's bytes, in the order of the paths, with a log or without; and FILE is \
     opened before the container starts",
    |bench| {
        let actions = "echo 5 >> /image-layer1.txt; rm /image-layer2.txt; \
                     echo > \"$(printf '/name-\\377')\"; \
                     for tens in 1 2 3 4 5; do \
                     for ones in 0 1 2 3 4 5 6 7 8 9; do echo > /new-$tens$ones; done; done";
        script(bench, &["-q", "--changes", "list"], actions)
            .finish()?
            .must_end_with(0)?;
        let mut expected = ["C /image-layer1.txt", "D /image-layer2.txt", r"A /name-\xff"]
            .map(String::from)
            .to_vec();
        expected.extend((10..60).map(|number| format!("A /new-{number}")));
        must_list("FILE has the lines", &lines(bench, "list")?, &expected)?;
        // Its only layer has neither /dev nor /sys nor /tmp.
        let layer = with_inside(bench)?.display().to_string();
        container(bench, ["--changes", "bare", "--layer", &layer, "--", "/inside", "--help"])
            .finish()?
            .must_end_with(0)?;
        let found = lines(bench, "bare")?;
        must_list("after a run that changed nothing, FILE has the lines", &found, &[""; 0])?;
        let ended = script(bench, &["--changes", "no/such/list"], "echo ran").finish()?;
        ended.must_end_with(125)?.must_complain(&["no/such/list"])?.must_write("")?;
        holds()
    },
)];

/// The lines of a file, its bytes shown as ASCII.
fn lines(bench: &Bench, name: &str) -> anyhow::Result<Vec<String>> {
    let bytes = fs::read(bench.folder.join(name)).context("read FILE")?;
    ensure!(bytes.last().is_none_or(|last| *last == b'\n'), "FILE's last line has no end");
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    Ok(lines.map(|line| line.trim_ascii_end().escape_ascii().to_string()).collect())
}
