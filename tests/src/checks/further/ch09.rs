//! Further, chapter 9: the changes, for a machine.

use std::fs;

use anyhow::Context;

use super::{Check, holds};
use crate::{layered::script, told::must_list};

pub(super) const CHECKS: &[Check] = &[Check::new(
    9,
    "--changes writes down what the container changed",
    "a list for a machine is complete and has one form: every change of the container layer, a \
     letter and a path, in the order of the paths",
    |bench| {
        let actions = "echo 5 >> /image-layer1.txt; rm /image-layer2.txt; \
                     for tens in 1 2 3 4 5; do \
                     for ones in 0 1 2 3 4 5 6 7 8 9; do echo > /new-$tens$ones; done; done";
        script(bench, &["--changes", "list"], actions).finish()?.must_end_with(0)?;
        let mut expected = vec!["C /image-layer1.txt".to_owned(), "D /image-layer2.txt".to_owned()];
        expected.extend((10..60).map(|number| format!("A /new-{number}")));
        let text = fs::read_to_string(bench.folder.join("list")).context("read FILE")?;
        let found: Vec<&str> = text.lines().collect();
        must_list("FILE has the lines", &found, &expected)?;
        holds()
    },
)];
