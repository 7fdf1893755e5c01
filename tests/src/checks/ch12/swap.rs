//! Chapter 12: an image that changes while a container starts with it.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
};

use super::images::{FOLDERS, host, is_harmless, unchanged};
use crate::{
    breach::{image, state},
    checks::{Check, holds},
    patience,
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    12,
    "a folder that becomes a link while the container starts is not followed",
    "between a look at a name and its use, another process may make it a link: hold the folder \
         open, and mount on what you hold (CVE-2019-19921, CVE-2021-30465). On the stage below, \
         proc follows the link",
    |bench| {
        let host = host(bench)?;
        let before = state(&host)?;
        let image = image(bench, "image")?;
        let swapper = Swapper::new(&image, &host)?;
        let start = Instant::now();
        let (mut started, mut refused) = (0, 0);
        thread::scope(|scope| {
            let swapping = scope.spawn(|| swapper.swap());
            let judged = loop {
                let option = ["--rootfs", "--layer"][usize::from(started % 4 == 3)];
                let judged = is_harmless(bench, option, &image)
                    .map(|is_refused| refused += u32::from(is_refused))
                    .and_then(|()| unchanged(&host, &before));
                started += 1;
                if judged.is_err() || start.elapsed() > patience(Duration::from_millis(2500)) {
                    break judged;
                }
            };
            swapper.is_over.store(true, Relaxed);
            let swaps = swapping.join().expect("it does not panic")?;
            judged.with_context(|| format!("at start {started}, after {swaps} swaps"))?;
            ensure!(swaps > 100 && started > 5, "{swaps} swaps, {started} starts");
            ensure!(refused > 0, "of {started} starts, none met a link");
            Ok(())
        })?;
        holds()
    },
)
.not_in_the_workshop()];

/// Swaps the folders of an image for links to a folder of the host's, and back, as fast as it can.
struct Swapper {
    pairs: Vec<(PathBuf, PathBuf)>,
    is_over: AtomicBool,
}

impl Swapper {
    fn new(image: &Path, host: &Path) -> anyhow::Result<Swapper> {
        let pair = |name: &str| {
            let link = image.join(format!("{name}-link"));
            symlink(host, &link)?;
            anyhow::Ok((image.join(name), link))
        };
        Ok(Swapper {
            pairs: FOLDERS.map(pair).into_iter().collect::<anyhow::Result<_>>()?,
            is_over: AtomicBool::new(false),
        })
    }

    /// How often it has swapped one. The one that it swaps changes now and then.
    fn swap(&self) -> anyhow::Result<u32> {
        let mut swaps = 0;
        while !self.is_over.load(Relaxed) {
            // Every other time it is /proc, the first.
            let turn = swaps as usize / 64;
            let (folder, link) = &self.pairs[turn % 2 * (turn / 2 % self.pairs.len())];
            match renameat2(AT_FDCWD, folder, AT_FDCWD, link, RenameFlags::RENAME_EXCHANGE) {
                Ok(()) | Err(Errno::EBUSY) => swaps += 1,
                other => other.context("renameat2")?,
            }
        }
        Ok(swaps)
    }
}
