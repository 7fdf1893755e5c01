//! Chapter 7: no more memory than the limit.

use std::{fs, path::Path};

use anyhow::{Context, ensure};

use crate::{
    Bench, Outcome, bench::Run, cgroups::limited, checks::Check, delegation::delegated, told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        7,
        "more memory than the limit is killed, and the log says why",
        "limit memory and swap, and log the kernel's count of OOM kills: with swap, a program \
         that uses too much is only slow",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let ended = delegation
                    .put(eater(bench, "100m", "200"))
                    .finish()?
                    .must_end_with(137)?
                    .must_write("")?;
                let said = ended.messages();
                let report = said
                    .iter()
                    .find(|message| message.starts_with("memory: limit 104857600, peak "));
                let report = report.with_context(|| {
                    format!("no report of the memory in {said}", said = told(&said))
                })?;
                ensure!(
                    !report.ends_with("OOM kills 0"),
                    "it says {report}",
                    report = told(&report)
                );
                ensure!(
                    said.iter()
                        .any(|message| message.starts_with("the memory limit killed 1 process")),
                    "no word of the limit"
                );
                Ok(())
            })
        },
    ),
    Check::new(
        7,
        "less memory than the limit is left alone",
        "the limit counts memory that was touched: a command that stays below it must run as \
         without a limit",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let ended =
                    delegation.put(eater(bench, "100m", "30")).finish()?.must_end_with(0)?;
                ensure!(
                    ended.messages().iter().any(|message| message.ends_with("OOM kills 0")),
                    "no report of the memory"
                );
                ended.must_write("ate 30\n").map(drop)
            })
        },
    ),
    Check::new(
        7,
        "the references' line: stress under 100m",
        "the limit holds for the command's children too, because they are born in its group",
        |bench| {
            if lab::exec::find("stress".as_ref(), Some("/usr/bin:/bin".as_ref())).is_none() {
                return Ok(Outcome::Skipped(
                    "stress is not installed: install the package stress".into(),
                ));
            }
            delegated(bench, &["memory"], |delegation| {
                let line =
                    ["-m", "100m", "--", "stress", "--vm-bytes", "200m", "--vm-keep", "-m", "1"];
                let ended = delegation.put(bench.stage(line)).finish()?.must_end_with(1)?;
                ensure!(ended.errors.contains("got signal 9"), "stress says: {}", ended.errors);
                Ok(())
            })
        },
    ),
    Check::new(
        7,
        "swap is limited with the memory",
        "limit swap too, in bytes: memory.swap.max is swap alone (0); memory.memsw.limit_in_bytes \
         is memory and swap together, and is written after memory's own limit (else EINVAL)",
        |bench| {
            let mut has_knob = true;
            let outcome = delegated(bench, &["memory"], |delegation| {
                let run =
                    bench.stage(["-m", "64m", "--", "sh", "-c", "echo ready; read wait || exit 0"]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("ready")?;
                let group = limited(&running.command()?.to_string(), "memory")?;
                let value = |knob: &str| {
                    fs::read_to_string(group.join(knob)).map(|text| text.trim().to_owned())
                };
                let memory = value("memory.max").or_else(|_| value("memory.limit_in_bytes"))?;
                ensure!(
                    memory == "67108864",
                    "the memory limit in {} is {memory}",
                    group.display()
                );
                match (value("memory.swap.max"), value("memory.memsw.limit_in_bytes")) {
                    (Ok(swap), _) => ensure!(swap == "0", "memory.swap.max is {swap}"),
                    (_, Ok(both)) => ensure!(
                        both == memory,
                        "memory.memsw.limit_in_bytes is {both}, memory's own {memory}"
                    ),
                    _ => has_knob = false,
                }
                running.release()?.must_end_with(0).map(drop)
            })?;
            Ok(if has_knob {
                outcome
            } else {
                Outcome::Skipped(
                    "this kernel has no limit on swap: boot it with \
                     swapaccount=1"
                        .into(),
                )
            })
        },
    ),
    Check::new(
        7,
        "a limit that kills before the command is there says so",
        "from the moment it is in the group, your own code in the child counts too: if the limit \
         kills it before it is the command, report that as the runtime's failure, 125",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                // More words than init may read before it is killed.
                let words = ["-m", "64k", "--", "true", &"x".repeat(120_000)];
                let ended = delegation.put(bench.stage(words)).finish()?.must_end_with(125)?;
                ensure!(
                    ended.errors.contains("the memory limit killed"),
                    "it says: {}",
                    ended.errors
                );
                ended
                    .must_complain(&["ended with signal 9 (SIGKILL) before it became the command"])
                    .map(drop)
            })
        },
    ),
];

/// The stage with `-m LIMIT`, and `inside eat MEBIBYTES` as its command.
fn eater<'a>(bench: &'a Bench, limit: &str, mebibytes: &str) -> Run<'a> {
    let inside = bench.other("inside");
    bench.stage([
        Path::new("-m"),
        limit.as_ref(),
        "--".as_ref(),
        &inside,
        "eat".as_ref(),
        mebibytes.as_ref(),
    ])
}
