//! Further, chapter 5: the same user on both sides.

use super::{Check, holds};

pub(super) const CHECKS: &[Check] = &[Check::new(
    5,
    "--keep-id is you, inside and outside",
    "map the uid and the gid to themselves: with --keep-id, each map has the same number on both \
     sides",
    |bench| {
        let (uid, gid) = (bench.user.uid(), bench.user.gid());
        // cat's own columns are wide: the shell splits and joins them.
        let script = "id -u; id -g; echo $(cat /proc/self/uid_map); echo $(cat /proc/self/gid_map)";
        let ended = bench
            .stage(["--keep-id", "--", "sh", "-c", script])
            .finish()?
            .must_end_with(0)?;
        ended.must_write(&format!("{uid}\n{gid}\n{uid} {uid} 1\n{gid} {gid} 1\n"))?;
        holds()
    },
)];
