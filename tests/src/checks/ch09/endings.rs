//! Chapter 9, how it ends: many at once, many in a row, and killed half-way.

use std::{fs, path::PathBuf, thread::sleep, time::Duration};

use anyhow::ensure;
use nix::sys::signal::Signal;

use crate::{
    checks::{Check, ch08::many_start, holds},
    host::nobody_stays,
    layered::{cached, container, script},
    patience, repetitions, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "twenty containers at once, from the first moment on",
        "what all containers share is made by one, the others wait for it, and nobody sees it \
         half made",
        |bench| {
            let start =
                || container(bench, ["--", "sh", "-c", "cat /image-layer4.txt; touch /f"]).start();
            let running: Vec<_> = (0..20).map(|_| start()).collect::<Result<_, _>>()?;
            for one in running {
                one.finish()?.must_end_with(0)?.must_write("4\n")?;
            }
            let name =
                |path: PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut names: Vec<String> = cached(bench).into_iter().map(name).collect();
            names.retain(|name| name != "temporary"); // empty, where tmpfs cannot hold a layer
            let expected = [
                "image",
                "base",
                "image-layer1",
                "image-layer2",
                "image-layer3",
                "image-layer4",
                "mnt",
            ];
            ensure!(names == expected, "the cache has {names}", names = told(&names));
            holds()
        },
    )
    .not_in_the_workshop(),
    Check::new(
        9,
        "many with layers start one after another and eight at a time, and none fails",
        "hold no layer's lock for longer than a start needs it: others that start at the same time \
         have the same image",
        |bench| many_start(|words| script(bench, &["-q"], words)),
    )
    .that_takes_long()
    .not_in_the_workshop(),
    Check::new(
        9,
        "200 containers one after another",
        "whatever a run leaves behind adds up",
        |bench| {
            container(bench, ["-q", "true"]).finish()?.must_end_with(0)?;
            let before = cached(bench);
            for number in 0..repetitions(200) {
                let status = (number % 7) as i32;
                container(bench, ["-q", "--", "sh", "-c", &format!("touch /f; exit {status}")])
                    .finish()?
                    .must_end_with(status)?;
            }
            ensure!(cached(bench) == before, "the cache has {}", told(&cached(bench)));
            holds()
        },
    )
    .that_takes_long()
    .not_in_the_workshop(),
    Check::new(
        9,
        "SIGKILL at any moment leaves no mount, process or file, layers or not",
        "mounts in a separate mount namespace, and a layer in memory, go with the last process \
         that uses them",
        |bench| {
            container(bench, ["-q", "true"]).finish()?.must_end_with(0)?;
            let before = cached(bench);
            for milliseconds in [0, 1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 40] {
                let running = container(bench, ["sleep", "1000"]).start()?;
                sleep(patience(Duration::from_millis(milliseconds)));
                running.signal(Signal::SIGKILL)?;
                running.finish()?.must_end_with(137)?;
                nobody_stays()?;
            }
            if before.iter().any(|path| path.ends_with("temporary")) {
                // Layers on disk outlive a keeper that is killed, until the next run.
                container(bench, ["-q", "true"]).finish()?.must_end_with(0)?;
            }
            ensure!(cached(bench) == before, "the cache has {}", told(&cached(bench)));
            // Half-way through the first image: the next run makes it whole.
            for milliseconds in [2, 5, 10, 20, 30] {
                fs::remove_dir_all(bench.folder.join(".cache"))?;
                let running = container(bench, ["sleep", "1000"]).start()?;
                sleep(patience(Duration::from_millis(milliseconds)));
                running.signal(Signal::SIGKILL)?;
                running.finish()?.must_end_with(137)?;
                nobody_stays()?;
                container(bench, ["cat", "/image-layer4.txt"])
                    .finish()?
                    .must_end_with(0)?
                    .must_write("4\n")?;
            }
            ensure!(
                !cached(bench).iter().any(|path| path.ends_with("half-made")),
                "left: {}",
                told(&cached(bench))
            );
            holds()
        },
    )
    .not_in_the_workshop(),
];
