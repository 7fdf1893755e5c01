//! Chapter 1: what the log in JSON says of the processes that write it.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

use anyhow::{Context, ensure};
use nix::unistd::Pid;
use tinyjson::JsonValue;

use crate::{
    checks::{Check, holds},
    process::status,
    records::{Object, last_of, parse},
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        1,
        "a record in JSON says of its process what the kernel says",
        "read each field of `now` when the record is written: a value that is kept, or guessed, \
         is wrong after the next system call",
        |bench| {
            let script = "uname -n; read wait || exit 0";
            let words = ["--log-format", "json", "--hostname", "box", "--", "sh", "-c", script];
            let mut running = bench.stage(words).start_waiting()?;
            running.until("\n")?;
            ensure!(running.output() == "box\n", "the hostname is {}", told(&running.output()));
            let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
            let processes = running.processes()?;
            let roles: &[(&str, &str)] = match processes.len() {
                2 => &[("parent", host.trim()), ("child", "box")],
                _ => &[("parent", host.trim()), ("keeper", host.trim()), ("child", "box")],
            };
            let seen: Vec<Seen> =
                processes.iter().map(|pid| Seen::of(*pid)).collect::<anyhow::Result<_>>()?;
            let ended = running.release()?.must_end_with(0)?;
            for ((role, hostname), seen) in roles.iter().zip(seen) {
                let said = last_of(&ended.errors, role)?;
                seen.must_be(&said, hostname).with_context(|| format!("the {role}"))?;
            }
            holds()
        },
    ),
    Check::new(
        1,
        "a record in JSON has what is new, and the first of a program all",
        "compare with what this process told last; a copy that clone(2) makes has told nothing \
         yet",
        |bench| {
            // From stage 8 on, an init that stays has a child, in the same role.
            let stays: &[&str] = match bench.stage {
                8..=12 => &["--init"],
                _ => &[],
            };
            let words = ["--log-format", "json", "--hostname", "box", "--", "true"];
            let words = stays.iter().chain(&words);
            let ended = bench.stage(words).finish()?.must_end_with(0)?;
            let mut told_by = BTreeMap::new();
            for line in ended.errors.lines() {
                let record = parse(line)?;
                let known: &mut Object = told_by.entry((record.role, record.pid)).or_default();
                let is_first = known.is_empty() || record.now.contains_key("program");
                for name in FIELDS.iter().filter(|_| is_first) {
                    let there = record.now.contains_key(*name);
                    ensure!(there, "no {name} in a first record: {}", told(line));
                }
                for (name, value) in record.now {
                    let same = known.insert(name.clone(), value.clone()) == Some(value);
                    ensure!(is_first || !same, "{name} is not new: {}", told(line));
                }
            }
            let by_variable = bench.script("true").env("LAB_LOG", "json").finish()?;
            by_variable
                .must_end_with(0)?
                .errors
                .lines()
                .try_for_each(|line| parse(line).map(drop))?;
            let renamed = |line: &&str| line.contains("\"hostname\":\"box\"");
            ensure!(ended.errors.lines().any(|line| renamed(&line)), "nobody is called box");
            holds()
        },
    ),
];

/// What every process can read.
const FIELDS: [&str; 7] = ["program", "pid", "uid", "gid", "capabilities", "hostname", "root"];

/// What the kernel says of a process, seen from outside.
struct Seen {
    /// In its own PID namespace, and in the judge's.
    pids: [String; 2],
    uid: String,
    capabilities: u32,
    namespaces: BTreeMap<String, u64>,
    root_is_ours: bool,
    lo_is_up: bool,
    cgroup: String,
}

impl Seen {
    fn of(pid: Pid) -> anyhow::Result<Seen> {
        let folder = Path::new("/proc").join(pid.to_string());
        let file = |name: &str| folder.join(name);
        let pids = status(pid, "NSpid")?;
        let innermost = pids.split_whitespace().last().context("NSpid is empty")?.to_owned();
        let namespace = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((name, fs::metadata(entry.path())?.ino()))
        };
        let identity =
            |path: &Path| anyhow::Ok((fs::metadata(path)?.dev(), fs::metadata(path)?.ino()));
        Ok(Seen {
            pids: [innermost, pid.to_string()],
            uid: inside(&fs::read_to_string(file("uid_map"))?, &status(pid, "Uid")?)?,
            capabilities: u64::from_str_radix(&status(pid, "CapEff")?, 16)?.count_ones(),
            namespaces: fs::read_dir(file("ns"))?.map(namespace).collect::<anyhow::Result<_>>()?,
            root_is_ours: identity(&file("root"))? == identity(Path::new("/"))?,
            lo_is_up: fs::read_to_string(file("net/fib_trie"))?.contains("127.0.0.1"),
            cgroup: fs::read_to_string(file("cgroup"))?,
        })
    }

    fn must_be(&self, said: &Object, hostname: &str) -> anyhow::Result<()> {
        let known = fs::read_to_string("/proc/sys/kernel/cap_last_cap")?.trim().parse::<u32>()? + 1;
        let capabilities = match self.capabilities {
            0 => "\"none\"".to_owned(),
            all if all == known => "\"all\"".to_owned(),
            some => some.to_string(),
        };
        let own = fs::metadata("/proc/self/ns/net")?.ino();
        let network_is_ours = self.namespaces.get("net") == Some(&own);
        let expected = [
            ("pid", self.pids[0].clone()),
            ("uid", self.uid.clone()),
            ("capabilities", capabilities),
            ("hostname", format!("\"{hostname}\"")),
        ];
        for (name, value) in expected {
            let it = text(said, name)?;
            ensure!(it == value, "{name}: the record says {it}, the kernel {value}");
        }
        for (name, part, value) in
            [("root", "same", self.root_is_ours), ("network", "same", network_is_ours)]
        {
            let it = part_of(said, name, part)?;
            ensure!(it == value.to_string(), "{name}: {part}: the record says {it}");
        }
        let lo = part_of(said, "network", "lo")?;
        let up = if self.lo_is_up { "\"up\"" } else { "\"down\"" };
        ensure!(lo == up, "lo: the record says {lo}, the kernel {up}");
        if said.contains_key("outside") {
            let it = text(said, "outside")?;
            ensure!(it == self.pids[1], "outside: the record says {it}, we {}", self.pids[1]);
        }
        let group = said.get("cgroup").and_then(|group| group.get::<String>());
        let is_one = group.is_none_or(|group| {
            // A long one is cut at its front.
            let end = group.strip_prefix("… ").map_or(format!(":{group}"), str::to_owned);
            group == "/" || self.cgroup.contains(&format!("{end}\n"))
        });
        ensure!(is_one, "cgroup: the record says {}", text(said, "cgroup")?);
        let namespaces = said.get("namespaces").and_then(|all| all.get::<Object>());
        for (kind, inode) in namespaces.into_iter().flatten() {
            let (it, seen) = (inode.stringify()?, self.namespaces.get(kind));
            let same = seen.is_some_and(|seen| seen.to_string() == it);
            ensure!(same, "{kind} namespace: the record says {it}");
        }
        Ok(())
    }
}

/// The id inside that a map gives to the effective id of /proc/PID/status.
fn inside(map: &str, ids: &str) -> anyhow::Result<String> {
    let effective: u64 = ids.split_whitespace().nth(1).context("no effective id")?.parse()?;
    for line in map.lines() {
        let numbers: Vec<u64> =
            line.split_whitespace().filter_map(|one| one.parse().ok()).collect();
        if let [inside, outside, size] = numbers[..]
            && (outside..outside + size).contains(&effective)
        {
            return Ok((inside + effective - outside).to_string());
        }
    }
    Ok("65534".to_owned())
}

fn text(said: &Object, name: &str) -> anyhow::Result<String> {
    let value = said.get(name).with_context(|| format!("no record has its {name}"))?;
    Ok(value.stringify()?)
}

fn part_of(said: &Object, name: &str, part: &str) -> anyhow::Result<String> {
    let whole = said.get(name).and_then(|whole: &JsonValue| whole.get::<Object>());
    text(whole.with_context(|| format!("no record has its {name}"))?, part)
}
