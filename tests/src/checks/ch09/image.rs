//! Chapter 9: image layers are only read, and there may be many.

use std::{ffi::OsStr, fs, path::PathBuf};

use anyhow::{Context, ensure};

use crate::{
    checks::{Check, holds},
    layered::{container, kernel_has_aufs, layer, listed, script, stacked},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "an image made under a strict umask is for all users",
        "set the permissions of shared files yourself: the umask of the first caller may be \
         anything",
        |bench| {
            let run = script(bench, &[], "stat -c %a / /bin /etc /etc/passwd /tmp");
            let ended = run
                .under(&["sh", "-c", "umask 077; exec \"$0\" \"$@\""])
                .finish()?
                .must_end_with(0)?;
            ended.must_write("755\n755\n755\n644\n1777\n")?;
            holds()
        },
    ),
    Check::new(
        9,
        "the highest layer wins",
        "--layer names the lowest layer first, and overlay puts each `lowerdir+` below those \
         before it: begin with the highest. What changes goes to the upperdir, and an upperdir \
         needs a workdir (else EINVAL)",
        |bench| {
            let layers =
                [layer(bench, "low", "who", "low\n")?, layer(bench, "high", "who", "high\n")?];
            stacked(bench, &[], &layers, "cat /who")?
                .finish()?
                .must_end_with(0)?
                .must_write("high\n")?;
            let ended = stacked(bench, &[], &layers, "rm /who; echo mine > /who")?
                .finish()?
                .must_end_with(0)?;
            ensure!(listed(&ended) == ["changed /who"], "the log lists {}", told(&listed(&ended)));
            holds()
        },
    ),
    Check::new(
        9,
        "layers with odd paths, long ones, and 200 of them",
        "mount(2) takes one string of at most a page: fsconfig(2) takes each layer by itself",
        |bench| {
            let long = format!("{0}/{0}/{0}", "l".repeat(100));
            let names = ["co:lon", "com,ma", "sp ace", "back\\slash", "all, of:th\\em ", &long];
            let mut layers = Vec::new();
            for (number, name) in names.iter().enumerate() {
                fs::create_dir_all(bench.folder.join(name).parent().context("a parent")?)?;
                layers.push(layer(bench, name, &format!("odd{number}"), "x")?);
            }
            // aufs cannot take such paths, and the error says so.
            let overlay = ["--driver", "overlay"];
            stacked(bench, &overlay, &layers, "ls -d /odd* | wc -l")?
                .finish()?
                .must_end_with(0)?
                .must_write("6\n")?;
            for name in ["odd,container:layer", "container\\layer"] {
                let odd = bench.folder(name)?;
                let words = [
                    "--container-layer".as_ref(),
                    odd.as_os_str(),
                    "--".as_ref(),
                    "touch".as_ref(),
                    "/made".as_ref(),
                ];
                container(bench, overlay.iter().map(OsStr::new).chain(words))
                    .finish()?
                    .must_end_with(0)?;
                ensure!(odd.join("made").exists(), "the container layer {name} has no /made");
            }

            let many: Vec<PathBuf> = (0..200)
                .map(|number| layer(bench, &format!("n{number}"), &format!("n{number}"), ""))
                .collect::<Result<_, _>>()?;
            let ended = stacked(bench, &overlay, &many, "ls -d /n* | wc -l")?.finish()?;
            if ended.status() == 125 {
                // Before Linux 6.7 there is one string of at most a page.
                ended.must_complain(&["mount(2) takes 4095"])?;
            } else {
                ended.must_end_with(0)?.must_write("200\n")?;
            }
            holds()
        },
    ),
    Check::new(
        9,
        "a layer that cannot be one gets a clear error",
        "find and check the layers before you clone anything",
        |bench| {
            bench.file("a-file", "", 0o644)?;
            let wrong: [(&[&str], &str); 4] = [
                (&["--layer", "no-such-layer"], "no-such-layer: No such file"),
                (&["--layer", "a-file"], "a-file: it is not a folder"),
                (&["--container-layer", "a-file"], "a-file"),
                (&["--container-layer", "/proc/layer"], "/proc/layer"),
            ];
            for (options, reason) in wrong {
                let ended = script(bench, options, "echo ran").finish()?.must_end_with(125)?;
                ended.must_complain(&[reason])?.must_write("")?;
            }
            bench.folder("image/inner")?;
            let overlapping =
                [["image", "image/inner"], ["image/inner", "image"], ["image", "image"]];
            for [layer, container] in overlapping {
                let ended =
                    script(bench, &["--layer", layer, "--container-layer", container], "echo ran")
                        .finish()?;
                ended.must_end_with(125)?.must_complain(&["overlaps"])?.must_write("")?;
            }
            let twice =
                script(bench, &["--layer", "image", "--layer", "image"], "echo ran").finish()?;
            twice.must_end_with(125)?.must_complain(&["named it twice"])?.must_write("")?;
            for options in
                [&["--rm", "--keep"][..], &["--layer", "/", "--rootfs", "/"], &["--driver", "zfs"]]
            {
                script(bench, options, "echo ran").finish()?.must_end_with(2)?.must_write("")?;
            }
            if !kernel_has_aufs()? {
                let ended = script(bench, &["--driver", "aufs"], "echo ran")
                    .finish()?
                    .must_end_with(125)?;
                ended.must_complain(&["this kernel has no aufs"])?.must_write("")?;
            }
            holds()
        },
    ),
];
