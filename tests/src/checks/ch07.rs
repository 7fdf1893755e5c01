//! Chapter 7: a container gets no more than it may.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use nix::{sys::signal::Signal, unistd::geteuid};

use super::{Check, Outcome, holds, messages};
use crate::{
    User,
    bench::{Bench, Run},
    cgroups::{self, group_of},
    delegation::delegated,
    slow,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        7,
        "more memory than the limit is killed, and the log says why",
        "a limit without one on swap only makes a hog slow: limit both, and read the \
         kernel's count of OOM kills",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let ended = delegation
                    .put(eater(bench, "100m", "200"))
                    .finish()?
                    .must_end_with(137)?
                    .must_write("")?;
                let said = messages(&ended);
                let report = said
                    .iter()
                    .find(|message| message.starts_with("memory: limit 104857600, peak "));
                let report =
                    report.with_context(|| format!("no report of the memory in {said:#?}"))?;
                ensure!(!report.ends_with("OOM kills 0"), "it says {report:?}");
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
        "the limit is on what is touched: a command that stays below never notices it",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let ended =
                    delegation.put(eater(bench, "100m", "30")).finish()?.must_end_with(0)?;
                ensure!(
                    messages(&ended).iter().any(|message| message.ends_with("OOM kills 0")),
                    "no report of the memory"
                );
                ended.must_write("ate 30\n").map(drop)
            })
        },
    ),
    Check::new(
        7,
        "--hog runs the registered function",
        "a registered function can be the command: become it inside, after everything is set \
         up",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                delegation
                    .put(bench.stage(["-m", "50m", "--hog", "80m"]))
                    .finish()?
                    .must_end_with(137)?;
                delegation
                    .put(bench.stage(["-m", "50m", "--hog", "20m"]))
                    .finish()?
                    .must_end_with(0)?;
                bench.stage(["--hog", "20m", "true"]).finish()?.must_end_with(2).map(drop)
            })
        },
    )
    .until(8, "the command travels through a pipe from there on"),
    Check::new(
        7,
        "the references' line: stress under 100m",
        "the limit holds for the command's children too: they are born into its group",
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
        "a limit without one on swap only makes a hog slow: the kernel counts in bytes, v1 \
         memory and swap together, v2 swap alone",
        |bench| {
            let mut has_knob = true;
            let outcome = delegated(bench, &["memory"], |delegation| {
                let run =
                    bench.stage(["-m", "64m", "--", "sh", "-c", "echo ready; read wait || exit 0"]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("ready")?;
                let group = group_of(&running.command()?.to_string(), "memory")?;
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
        "a slow parent changes nothing",
        "the child goes into its groups while it waits at the gate: once it is open, the \
         command may be there before the parent does anything else",
        |bench| {
            let mut refused = false;
            let outcome = delegated(bench, &["memory"], |delegation| {
                let run = bench.stage(["-m", "64m", "--", "cat", "/proc/self/cgroup"]);
                let running = match delegation.put(run).with(slow::trace).start() {
                    Err(error) if slow::is_refused(&error) => {
                        refused = true;
                        return Ok(());
                    }
                    started => started?,
                };
                slow::hold_back(running.pid(), bench.bound)?;
                let text = running.finish()?.must_end_with(0)?.text();
                ensure!(
                    text.contains("/container-"),
                    "when the command starts, it is in these groups: {text}"
                );
                Ok(())
            })?;
            Ok(if refused {
                Outcome::Skipped(slow::REFUSED.into())
            } else {
                outcome
            })
        },
    ),
    Check::new(
        7,
        "the limits are in force before the command exists",
        "set the limit and move the child while it waits at the gate: later, what it has \
         already is its own",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                // The command's very first act is to say where it is; its group has the limit then.
                let run =
                    bench.stage(["-m", "64m", "--", "sh", "-c", "echo ready; read wait || exit 0"]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("ready")?;
                let child = running.command()?;
                let group = group_of(&child.to_string(), "memory")?;
                let limit = ["memory.max", "memory.limit_in_bytes"]
                    .map(|knob| fs::read_to_string(group.join(knob)));
                let limit =
                    limit.into_iter().flatten().next().context("no limit in the child's group")?;
                ensure!(limit.trim() == "67108864", "the limit in {} is {limit}", group.display());
                ensure!(group_of("self", "memory")? != group, "the judge is in that group too");
                running.release()?.must_end_with(0).map(drop)
            })
        },
    ),
    Check::new(
        7,
        "cpu shares and processors are set",
        "each subsystem has its own hierarchy on v1: the child goes into a group of each",
        |bench| {
            delegated(bench, &["cpu", "cpuset"], |delegation| {
                let script = "grep Cpus_allowed_list /proc/self/status; echo ready; read \
                              wait || exit 0";
                let run = bench.stage([
                    "--cpu-shares",
                    "512",
                    "--cpuset-cpus",
                    "0",
                    "--",
                    "sh",
                    "-c",
                    script,
                ]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("ready")?;
                ensure!(
                    running.output() == "Cpus_allowed_list:\t0\nready\n",
                    "inside: {:?}",
                    running.output()
                );
                let child = running.command()?;
                let group = group_of(&child.to_string(), "cpu")?;
                let (knob, expected) = match cgroups::with("cpu")?.is_v2 {
                    false => ("cpu.shares", "512\n"),
                    true => ("cpu.weight", "59\n"),
                };
                let value = fs::read_to_string(group.join(knob))?;
                ensure!(value == expected, "{knob} is {value:?}, not {expected:?}");
                running.release()?.must_end_with(0)?;
                let run = bench.stage(["--cpuset-cpus", "4096", "--", "echo", "ran"]);
                delegation
                    .put(run)
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&["cpuset.cpus"])?
                    .must_write("")
                    .map(drop)
            })
        },
    ),
    Check::new(
        7,
        "limits that make no sense are refused before anything is made",
        "the kernel rounds, and takes words for zero: check what a person wrote before you \
         write it",
        |bench| {
            let wrong = [
                ["--memory", "0"],
                ["--memory", "-100m"],
                ["--memory", "lots"],
                ["--memory", "100x"],
                ["--memory", "99999999999999999999"],
                ["--memory", "9223372036854775807"],
                ["--memory", "100"],
                ["--cpu-shares", "1"],
                ["--cpu-shares", "262145"],
                ["--cpuset-cpus", "1-0"],
                ["--cpuset-cpus", "a"],
            ];
            for [option, value] in wrong {
                let ended = bench
                    .stage([&format!("{option}={value}"), "--", "echo", "ran"])
                    .finish()?
                    .must_end_with(2)?;
                ended.must_complain(&[value])?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        7,
        "a limit that kills before the command is there says so",
        "from the moment it is in the group, all that the child does is counted, your own \
         code too",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                // More words than init may read before it is killed.
                let words = ["-m", "64k", "--", "true", &"x".repeat(120_000)];
                let ended = delegation.put(bench.stage(words)).finish()?.must_end_with(137)?;
                ensure!(
                    ended.errors.contains("the memory limit killed"),
                    "it says: {}",
                    ended.errors
                );
                Ok(())
            })
        },
    ),
    Check::new(
        7,
        "a group left by a killed runtime is cleared by the next run",
        "nobody removes a group for you: name it after its maker's pid and start time, and \
         the next run can tell",
        |bench| {
            delegated(bench, &["memory"], |delegation| {
                let run = bench.stage(["-m", "64m", "--", "sh", "-c", "echo ready; read wait"]);
                let mut running = delegation.put(run).start_waiting()?;
                running.until("ready")?;
                let child = running.command()?;
                let group = group_of(&child.to_string(), "memory")?;
                running.signal(Signal::SIGKILL)?;
                running.finish()?.must_end_with(137)?;
                crate::host::nobody_stays()?;
                ensure!(group.exists(), "a killed runtime cannot have removed {}", group.display());
                delegation
                    .put(bench.stage(["-m", "64m", "--", "true"]))
                    .finish()?
                    .must_end_with(0)?;
                ensure!(!group.exists(), "the next run left {}", group.display());
                Ok(())
            })
        },
    ),
    Check::new(
        7,
        "without a group of one's own the error says how to get one",
        "who may write a group's files may limit in it: an ordinary user needs one that was \
         delegated",
        |bench| {
            if !geteuid().is_root() && ch07_cgroup_memory::probe() == lab::Probe::Runs {
                return Ok(Outcome::Skipped(
                    "this process is in a cgroup that was delegated".into(),
                ));
            }
            let ended = bench
                .stage(["-m", "64m", "--", "echo", "ran"])
                .finish()?
                .must_end_with(125)?
                .must_write("")?;
            let way_out = match cgroups::memory_is_on_v1()? {
                true => "only root can give a group away",
                false => "systemd-run --user --scope -p Delegate=yes",
            };
            ended.must_complain(&["limit memory", way_out])?;
            holds()
        },
    )
    .only_as(User::Ordinary),
    Check::new(
        7,
        "--show prints the hierarchies that the process sits in",
        "/proc/self/mountinfo says where the hierarchies are, /proc/self/cgroup where you \
         are in each",
        |bench| {
            let ended = bench.stage(["--show"]).finish()?.must_end_with(0)?;
            let text = ended.text();
            let own = cgroups::with("memory")?;
            let place = own.mount_point.display().to_string();
            let line = text.lines().find(|line| line.contains(&place));
            let line = line.with_context(|| format!("no word of {place} in {text}"))?;
            let version = if own.is_v2 { "v2" } else { "v1" };
            ensure!(line.starts_with(version) && line.contains("memory"), "{line}");
            let group = own.group_of("self")?;
            let group = group.strip_prefix(&own.mount_point)?.display().to_string();
            ensure!(line.contains(&format!("group /{group}")), "{line}: not in /{group}");
            holds()
        },
    )
    .until(8, "an option of chapter 7 alone"),
    Check::new(
        7,
        "a named hierarchy without a subsystem is made and removed",
        "a v1 hierarchy lives until its last group is removed and its last mount is gone",
        |bench| {
            if bench.user == User::Ordinary {
                bench
                    .stage(["--named-hierarchy"])
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&["only root"])?;
                return holds();
            }
            let kinds = fs::read_to_string("/proc/filesystems")?;
            if !kinds.lines().any(|line| line.ends_with("\tcgroup")) {
                bench
                    .stage(["--named-hierarchy"])
                    .finish()?
                    .must_end_with(125)?
                    .must_complain(&["no cgroup v1"])?;
                return holds();
            }
            let before = fs::read_to_string("/proc/self/cgroup")?;
            let ended = bench.stage(["--named-hierarchy"]).finish()?.must_end_with(0)?;
            ensure!(
                ended.text().contains(":name=cgroup-test:/cgroup-1\n"),
                "it shows {:?}",
                ended.text()
            );
            ensure!(
                fs::read_to_string("/proc/self/cgroup")? == before,
                "the hierarchy is still there"
            );
            holds()
        },
    )
    .until(8, "an option of chapter 7 alone"),
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
