//! Chapter 9: the same with aufs, where the kernel has it.

use anyhow::ensure;

use crate::{
    Outcome, User,
    checks::{Check, holds},
    layered::{kernel_has_aufs, listed, script},
};

pub(super) const CHECKS: &[Check] = &[Check::new(
    9,
    "real aufs, where the kernel has it",
    "aufs's first branch is written to, the others are read: dirs=CONTAINER:TOP:…:LOWEST",
    |bench| {
        if !kernel_has_aufs()? {
            return Ok(Outcome::Skipped(
                "this kernel has no aufs: `make test-kernels KERNEL=…` with one that has".into(),
            ));
        }
        if bench.user == User::Ordinary {
            let ended =
                script(bench, &["--driver", "aufs"], "echo ran").finish()?.must_end_with(125)?;
            ended.must_complain(&["only root"])?;
            return holds();
        }
        let layer = bench.folder("mine")?;
        let options = ["--driver", "aufs", "--container-layer", "mine"];
        let deeds = "echo 5 >> /image-layer1.txt; rm /image-layer2.txt; echo n > /new; rm -r /mnt; mkdir /mnt";
        let ended = script(bench, &options, deeds).finish()?.must_end_with(0)?;
        let expected = [
            "changed /image-layer1.txt",
            "deleted /image-layer2.txt",
            "changed /mnt",
            "added /new",
        ];
        ensure!(listed(&ended) == expected, "the log lists {:?}", listed(&ended));
        ensure!(
            layer.join(".wh.image-layer2.txt").exists(),
            "there is no whiteout in {}",
            layer.display()
        );
        holds()
    },
)];
