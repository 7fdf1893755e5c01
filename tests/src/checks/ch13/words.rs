//! Chapter 13: options that cannot be meant.

use anyhow::Context;

use super::files::must_be_refused;
use crate::{
    checks::{Check, holds},
    named::call,
    seccomp::{kill_at_clone, know_capabilities_below},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "a capability that is unknown is refused in one line",
        "compare names with capabilities(7), and with what this kernel has: a kernel knows numbers \
         up to its last, and PR_CAPBSET_READ of another one is EINVAL",
        |bench| {
            for option in ["--cap-add", "--cap-drop"] {
                for name in ["FLY", "", "CAP_", "cap_cap_chown", "21", "ALL,CHOWN"] {
                    let run = call(bench, &["run", "-q", option, name, "--", "true"]);
                    let ended = run.with(kill_at_clone()?).finish()?;
                    must_be_refused(ended, &[option, "there is no such capability"])
                        .with_context(|| format!("{option} {name:?}"))?;
                }
            }
            // As on a kernel before Linux 5.9.
            let old = |options: &[&str]| {
                let words = [&["run", "-q"], options, &["--", "true"]].concat();
                let run = call(bench, &words).with(know_capabilities_below(40)?);
                run.with(kill_at_clone()?).finish()
            };
            let newest = old(&["--cap-add", "CHECKPOINT_RESTORE"])?;
            must_be_refused(newest, &["this kernel does not have it", "its last is BPF"])?;
            holds()
        },
    ),
    Check::new(
        13,
        "a limit or a score that cannot be meant is bad usage",
        "read numbers before you start anything: a limit has a name and one or two amounts, a \
         score is from -1000 to 1000",
        |bench| {
            for (option, value) in [
                ("--ulimit", "nofile"),
                ("--ulimit", "nofile="),
                ("--ulimit", "nofile=many"),
                ("--ulimit", "nofile=2:1"),
                ("--ulimit", "nofile=1:2:3"),
                ("--ulimit", "files=1"),
                ("--ulimit", "nofile=18446744073709551615"),
                ("--oom-score-adj", "1001"),
                ("--oom-score-adj", "-1001"),
                ("--oom-score-adj", "first"),
            ] {
                let run = call(bench, &["run", "-q", option, value, "--", "true"]);
                let ended =
                    run.with(kill_at_clone()?).finish()?.must_end_with(2)?.must_write("")?;
                ended.must_complain(&[option, value]).with_context(|| value)?;
            }
            holds()
        },
    ),
];
