//! Chapter 13: which capabilities a process in a container has.

use std::fs;

use anyhow::{Context, ensure};

use super::{OF_DOCKER, OPEN, Rights, in_exec};
use crate::{
    Bench, Outcome, User,
    checks::{Check, holds},
    granted::with_any_granted_ids,
    named::{container, container_that, exec},
    process::children_of,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "root inside has Docker's fourteen capabilities, and nothing more",
        "take all others out of the bounding set, then set permitted and effective to what is \
         left; the inheritable and the ambient set stay empty (CVE-2022-24769)",
        |bench| {
            let expected = Rights::of_root(OF_DOCKER);
            let running = container(bench, "box", &["-q"])?;
            expected.must_be_of(running.command()?).context("the command")?;
            in_exec(bench, &["box"], |pid| expected.must_be_of(pid))?;
            running.release()?.must_end_with(0)?;
            holds()
        },
    ),
    Check::new(
        13,
        "a PID 1 that stays has no more than the command",
        "root inside may trace PID 1 and make it call anything: what the command gives up, PID 1 \
         gives up too",
        |bench| {
            for options in [&["-q", "--init"][..], &["-q", "--init", "--cap-drop", "ALL"]] {
                let kept = if options.len() > 2 { 0 } else { OF_DOCKER };
                let running = container(bench, "box", options)?;
                let init = running.command()?;
                Rights::of_root(kept).must_be_of(init).context("PID 1")?;
                let command = *children_of(init)?.first().context("PID 1 has no child")?;
                Rights::of_root(kept).must_be_of(command).context("the command")?;
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        13,
        "--cap-add and --cap-drop mean the same in any order",
        "start from Docker's set, or with ALL from all or none; take the dropped ones away, and \
         add the added ones: then the order of the options does not matter",
        |bench| {
            let net_admin = OF_DOCKER | 1 << 12;
            let all = all_of_kernel()?;
            let options: [(&[&str], u64); 11] = [
                (&["--cap-add", "NET_ADMIN"], net_admin),
                (&["--cap-add", "cap_Net_admin"], net_admin),
                (&["--cap-add", "NET_ADMIN", "--cap-drop", "NET_ADMIN"], net_admin),
                (&["--cap-drop", "net_admin", "--cap-add", "CAP_NET_ADMIN"], net_admin),
                (&["--cap-drop", "CHOWN", "--cap-drop", "CAP_KILL"], OF_DOCKER & !0x21),
                (&["--cap-drop", "ALL"], 0),
                (&["--cap-drop", "ALL", "--cap-add", "CHOWN"], 1),
                (&["--cap-add", "CHOWN", "--cap-drop", "all"], 1),
                (&["--cap-add", "ALL"], all),
                (&["--cap-add", "ALL", "--cap-drop", "SYS_ADMIN"], all & !(1 << 21)),
                (&["--cap-drop", "SYS_ADMIN", "--cap-add", "ALL"], all & !(1 << 21)),
            ];
            for (options, kept) in options {
                let running = container(bench, "box", &[&["-q"], options].concat())?;
                let expected = Rights::of_root(kept);
                expected.must_be_of(running.command()?).with_context(|| told(&options))?;
                running.release()?.must_end_with(0)?;
            }
            holds()
        },
    ),
    Check::new(
        13,
        "a user that is not root inside has no capability, whatever was added",
        "setresuid(2) from root to another user clears the permitted, effective and ambient sets: \
         give none of them back",
        |bench| {
            with_user_five(bench, |ids| {
                let all = all_of_kernel()?;
                for (added, kept) in [(&["--cap-add", "ALL"][..], all), (&[], OF_DOCKER)] {
                    let options = [&["-q", "--user", "5:5"], added, ids].concat();
                    let running = container(bench, "box", &options)?;
                    let expected = Rights::of_others(kept);
                    expected.must_be_of(running.command()?).context("--user 5:5")?;
                    running.release()?.must_end_with(0)?;
                }
                let running = container(bench, "box", &[&["-q"], ids].concat())?;
                let expected = Rights::of_others(OF_DOCKER);
                in_exec(bench, &["--as", "5:5", "box"], |pid| expected.must_be_of(pid))?;
                running.release()?.must_end_with(0).map(drop)
            })
        },
    ),
    Check::new(
        13,
        "no set-user-ID program gives a capability back",
        "a mount that root inside makes is not nosuid: only no_new_privs holds there (a filter \
         that is installed without CAP_SYS_ADMIN brings it along; do not rely on that)",
        |bench| {
            with_user_five(bench, |ids| {
                // `cat` of root's, with the bit, on a mount without nosuid.
                let script = "mkdir /mine && mount -t tmpfs -o mode=755 none /mine &&
                     cp \"$(command -v cat)\" /mine/cat && chmod 4755 /mine/cat && echo up; cat";
                let options = [&["-q"], &OPEN[..], ids].concat();
                let running = container_that(bench, "box", &options, script)?;
                let look = "[ -u /mine/cat ] && exec /mine/cat /proc/self/status";
                for (user, ids) in [("0:0", "0 0 0 0"), ("5:5", "5 5 5 5")] {
                    let ended = exec(bench, &["--as", user, "box"], look).finish()?;
                    let text = ended.must_end_with(0)?.text().replace('\t', " ");
                    let expected = format!("Uid: {ids}");
                    ensure!(text.contains(&expected), "as {user}: {text}", text = told(&text));
                    let none = user == "0:0" || text.contains("CapEff: 0000000000000000");
                    ensure!(none, "as {user}: {text}", text = told(&text));
                }
                running.release()?.must_end_with(0).map(drop)
            })
        },
    ),
];

/// All that have a name in capabilities(7), and that this kernel has.
fn all_of_kernel() -> anyhow::Result<u64> {
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").context("cap_last_cap")?;
    Ok((2 << last.trim().parse::<u32>()?.min(40)) - 1)
}

/// With the options of a container that has a user 5.
fn with_user_five(
    bench: &Bench,
    check: impl FnOnce(&[&str]) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    if bench.user == User::Root {
        check(&[])?;
        return holds();
    }
    with_any_granted_ids(bench, || check(&["--uid-map", "auto"]))
}
