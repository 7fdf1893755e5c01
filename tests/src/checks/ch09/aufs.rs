//! Chapter 9: the same with aufs, where the kernel has it.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::{
    Outcome, User,
    checks::{Check, holds},
    layered::{kernel_has_aufs, layer, listed, script, stacked},
    told,
};

/// Why most of these are skipped.
const NO_AUFS: &str = "this kernel has no aufs: `make test-kernels KERNEL=…` with one that has";

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "real aufs, where the kernel has it",
        "aufs writes to its first branch and only reads the others: dirs=CONTAINER:TOP:…:LOWEST",
        |bench| {
            if !kernel_has_aufs()? {
                return Ok(Outcome::Skipped(NO_AUFS.into()));
            }
            if bench.user == User::Ordinary {
                let ended = script(bench, &["--driver", "aufs"], "echo ran")
                    .finish()?
                    .must_end_with(125)?;
                ended.must_complain(&["only root"])?;
                return holds();
            }
            let layer = bench.folder("mine")?;
            let actions = "echo 5 >> /image-layer1.txt; rm /image-layer2.txt; echo n > /new
                         rm -r /mnt; mkdir /mnt";
            let options = [&AUFS[..], &["--container-layer", "mine"]].concat();
            let ended = script(bench, &options, actions).finish()?.must_end_with(0)?;
            let expected = [
                "changed /image-layer1.txt",
                "deleted /image-layer2.txt",
                "changed /mnt",
                "added /new",
            ];
            ensure!(listed(&ended) == expected, "the log lists {}", told(&listed(&ended)));
            ensure!(
                layer.join(".wh.image-layer2.txt").exists(),
                "there is no whiteout in {}",
                layer.display()
            );
            holds()
        },
    ),
    Check::new(
        9,
        "whiteouts of image layers count with aufs, where the kernel has it",
        "aufs ignores the whiteouts of a read-only branch, unless the branch is given as =ro+wh",
        |bench| {
            if !kernel_has_aufs()? {
                return Ok(Outcome::Skipped(NO_AUFS.into()));
            }
            let image = layer(bench, "image", "only", "x")?;
            layer(bench, "image/d", "old", "x")?;
            let layers = [image, bench.folder.join("mine")];
            let actions = "rm /only; rm -r /d; mkdir /d; echo new > /d/new";
            let made = [&AUFS[..], &["--container-layer", "mine"]].concat();
            stacked(bench, &made, &layers[..1], actions)?.finish()?.must_end_with(0)?;
            let look = "ls /d; [ -e /only ] && echo it is back; touch /only";
            let ended = stacked(bench, &AUFS, &layers, look)?.finish()?.must_end_with(0)?;
            ensure!(listed(&ended) == ["added /only"], "the log lists {}", told(&listed(&ended)));
            ended.must_write("new\n")?;
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        9,
        "too many layers for aufs are refused, where the kernel has it",
        "where the kernel does not check, you must: with 85 branches aufs writes past the end of \
         a page",
        |bench| {
            if !kernel_has_aufs()? {
                return Ok(Outcome::Skipped(NO_AUFS.into()));
            }
            let named = |number: i32| layer(bench, &format!("l{number}"), "file", "");
            // The base is one, too. More than may be, and never so many that an aufs crashes.
            let mut layers: Vec<PathBuf> = (0..79).map(named).collect::<Result<_, _>>()?;
            let refused = stacked(bench, &AUFS, &layers, "echo ran")?.finish()?;
            refused.must_end_with(125)?.must_complain(&["at most 79"])?.must_write("")?;
            layers.pop();
            let ended = stacked(bench, &AUFS, &layers, "echo ran")?.finish()?;
            ended.must_end_with(0)?.must_write("ran\n")?;
            holds()
        },
    )
    .only_as(User::Root),
    Check::new(
        9,
        "a container layer of the other driver is refused",
        "aufs and overlay mark a deleted file in different ways: each takes the other's marks for \
         files",
        |bench| {
            layer(bench, "of-aufs", ".wh..wh.aufs", "")?;
            let overlay = ["--driver", "overlay", "--container-layer", "of-aufs"];
            let refused = script(bench, &overlay, "echo ran").finish()?.must_end_with(125)?;
            refused.must_complain(&["of-aufs", "use --driver aufs"])?.must_write("")?;
            if bench.user == User::Root && kernel_has_aufs()? {
                let of_overlay = ["--driver", "overlay", "--container-layer", "of-overlay"];
                script(bench, &of_overlay, "echo x > /x").finish()?.must_end_with(0)?;
                let aufs = [&AUFS[..], &["--container-layer", "of-overlay"]].concat();
                let refused = script(bench, &aufs, "echo ran").finish()?.must_end_with(125);
                refused
                    .context("aufs with a layer of overlay's")?
                    .must_complain(&["use --driver overlay"])?;
            }
            holds()
        },
    ),
];

const AUFS: [&str; 2] = ["--driver", "aufs"];
