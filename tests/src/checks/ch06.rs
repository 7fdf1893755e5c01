//! Chapter 6: the program runs itself again, inside, before the command is there.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    os::unix::{fs::symlink, process::CommandExt},
};

use anyhow::{Context, ensure};
use nix::errno::Errno;

use super::{Check, Outcome, ch05::own_lines, holds};
use crate::{Bench, repetitions, seccomp, told};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        6,
        "a random hostname is set before the command can look",
        "set the name in the registered function: it runs inside, before the command",
        |bench| {
            let name = bench.stage(["uname", "-n"]).finish()?.must_end_with(0)?.text();
            ensure!(name.starts_with("container-"), "the hostname is {name}", name = told(&name));
            ensure!(
                !fs::read_to_string("/proc/sys/kernel/hostname")?.starts_with("container-"),
                "the host has that name"
            );
            holds()
        },
    ),
    Check::new(
        6,
        "two containers have two hostnames",
        "a pid or the time is the same in many containers: take random bytes, for example from \
         /dev/urandom",
        |bench| {
            let name =
                || anyhow::Ok(bench.stage(["uname", "-n"]).finish()?.must_end_with(0)?.text());
            let (one, other) = (name()?, name()?);
            ensure!(one != other, "the hostname is {one} each time", one = told(&one));
            if bench.stage == 6 {
                must_be_random(bench)?;
            }
            holds()
        },
    ),
    Check::new(
        6,
        "a random hostname has eight digits",
        "a number can be small: pad it with zeros, as the format {:08x} does",
        |bench| {
            for _ in 0..repetitions(NAMES as u32) {
                let _ = digits_of(bench)?;
            }
            holds()
        },
    )
    .until(7, "the same function from there on"),
    Check::new(
        6,
        "it finds its own file, whatever argv[0] says",
        "a caller can write anything into argv[0]: execute /proc/self/exe, and choose argv[0] \
         yourself",
        |bench| {
            let run = bench.stage(["echo", "ran"]).with(|command| {
                command.arg0("some-other-name");
            });
            run.finish()?.must_end_with(0)?.must_write("ran\n")?;
            // Nor is there a path to it, once it is removed: only the kernel still knows the file.
            let copy = bench.folder.join("copy");
            let script = "cp \"$1\" \"$2\" && exec 9<\"$2\" && rm \"$2\" && \
                          program=/proc/self/fd/9 && shift 2 && exec $program \"$@\"";
            let mut words = ["-c", script, "sh"].map(OsString::from).to_vec();
            words.extend([bench.binary.clone().into(), copy.into()]);
            words.extend(["echo", "ran"].map(OsString::from));
            if bench.stage == 6 {
                bench.run("sh", words).finish()?.must_end_with(0)?.must_write("ran\n")?;
            }
            holds()
        },
    ),
    Check::new(
        6,
        "a name that is only like a registered one is none",
        "compare the whole of argv[0] with the names: a path is no name",
        |bench| {
            let run = bench.stage(["echo", "ran"]).with(|command| {
                command.arg0("./nsInitialisation");
            });
            run.finish()?.must_end_with(0)?.must_write("ran\n")?;
            holds()
        },
    )
    .until(8, "from there on a subcommand says which side it is"),
    Check::new(
        6,
        "the network is its own, and lo is up",
        "lo is down in a new network namespace: bring it up, SIOCSIFFLAGS with IFF_UP",
        |bench| {
            let ended = bench.script("cat /proc/net/dev").finish()?.must_end_with(0)?;
            must_be_new(bench, interfaces_in(&ended.text()))?;
            let inside = bench.other("inside");
            let words = ["--".as_ref(), inside.as_os_str(), "loopback".as_ref()];
            bench.stage(words).finish()?.must_end_with(0)?.must_write("word\n")?;
            holds()
        },
    ),
    Check::new(
        6,
        "the flags of lo are read before they are written",
        "SIOCSIFFLAGS replaces all flags of an interface: read them first (SIOCGIFFLAGS), add one, \
         and report an error of either call",
        |bench| {
            let calls =
                [("SIOCGIFFLAGS", libc::SIOCGIFFLAGS), ("SIOCSIFFLAGS", libc::SIOCSIFFLAGS)];
            for (name, request) in calls {
                let no_flags = seccomp::refuse_ioctl(request as u32, Errno::EACCES)?;
                let run = bench.stage(["echo", "ran"]).with(no_flags);
                let ended = run
                    .finish()?
                    .must_end_with(125)
                    .with_context(|| format!("where the kernel refuses {name} (EACCES)"))?;
                ended.must_complain(&["Permission denied"])?.must_write("")?;
            }
            holds()
        },
    ),
    Check::new(
        6,
        "the log tells of register, init and command, from both sides",
        "`command` executes /proc/self/exe with the name as argv[0]; the second start is a new \
         program, which registers the function again, and in which `init` looks the name up",
        |bench| {
            let ended = bench.stage(["-v", "true"]).finish()?.must_end_with(0)?;
            let said = ended.messages();
            let order = [
                "register: nsInitialisation",
                "init: argv[0] names no function: the first start",
                "cloning: ",
                "opening the gate",
                "command: /proc/self/exe as nsInitialisation",
                "register: nsInitialisation",
                "init: argv[0] is nsInitialisation, so I run it",
                "hostname is ",
                "executing: ",
            ];
            let mut rest = said.iter();
            for expected in order {
                ensure!(
                    rest.any(|message| message.starts_with(expected)),
                    "{expected} is not in its place in {said}",
                    expected = told(&expected),
                    said = told(&said)
                );
            }
            holds()
        },
    )
    .until(8, "from there on a subcommand says which side it is"),
    Check::new(
        6,
        "the registered function by hand does no harm",
        "any caller can choose argv[0]: the function must find out that it is inside before it \
         changes anything",
        |bench| {
            let run = bench.stage(["--hostname", "oops", "echo", "ran"]).with(|command| {
                command.arg0("nsInitialisation");
            });
            run.finish()?
                .must_end_with(125)?
                .must_complain(&["do not start it by hand"])?
                .must_write("")?;
            holds()
        },
    )
    .until(8, "from there on a subcommand says which side it is"),
    Check::new(
        6,
        "the registered function by hand, as PID 1 of another program's namespaces, does no harm",
        "being PID 1 proves nothing: in another runtime's container any program may be PID 1, and \
         hostname and mounts are that container's",
        |bench| {
            if let Some(reason) = bench.no_user_namespace()? {
                return Ok(Outcome::Skipped(reason));
            }
            // Looked up in PATH, it is executed under just this name.
            let programs = bench.folder("programs")?;
            symlink(&bench.binary, programs.join("nsInitialisation"))?;
            let script = format!(
                "PATH={}:$PATH; before=$(hostname; cat /proc/self/mountinfo)
                 unshare -p -f nsInitialisation -q --hostname oops echo ran; echo ended $?
                 [ \"$before\" = \"$(hostname; cat /proc/self/mountinfo)\" ] || echo changed",
                programs.display()
            );
            let run = bench.run("unshare", ["-r", "-m", "-u", "sh", "-c", &script]);
            let ended = run.finish()?.must_end_with(0)?.must_write("ended 125\n")?;
            ended.must_complain(&["do not start it by hand"])?;
            holds()
        },
    )
    .until(8, "from there on a subcommand says which side it is"),
    Check::new(
        6,
        "a map without root is refused",
        "refuse maps without root: execve(2) takes all capabilities from a process whose uid \
         inside is not 0",
        |bench| {
            let (uid_map, gid_map) = own_lines(bench, 1);
            for options in [vec!["--no-map"], vec!["--uid-map", &uid_map, "--gid-map", &gid_map]] {
                let ended = bench
                    .stage(options.into_iter().chain(["--", "echo", "ran"]))
                    .finish()?
                    .must_end_with(2)?;
                ended.must_complain(&["execve", "map id 0"])?.must_write("")?;
            }
            holds()
        },
    ),
];

/// How many names are looked at. Where a format leaves zeros out, so many show it, but for one time
/// in sixty.
const NAMES: usize = 64;

/// The digits of a new container's hostname.
fn digits_of(bench: &Bench) -> anyhow::Result<String> {
    let name = bench.stage(["uname", "-n"]).finish()?.must_end_with(0)?.text();
    let digits = name.trim_end().strip_prefix("container-").unwrap_or_default();
    ensure!(
        digits.len() == 8 && digits.bytes().all(|digit| b"0123456789abcdef".contains(&digit)),
        "the hostname is {name}, not container- and eight hexadecimal digits",
        name = told(&name)
    );
    Ok(digits.to_owned())
}

/// Of so many random names, each of the eight places shows at least eleven of the sixteen digits
/// (all but once in 10⁹ times), and one in four is a little more than the one before. A clock's
/// nanoseconds begin with 0 to 3, and nearly all names from a clock are more than the one before.
fn must_be_random(bench: &Bench) -> anyhow::Result<()> {
    let names = (0..NAMES).map(|_| digits_of(bench)).collect::<anyhow::Result<Vec<String>>>()?;
    let shown = names[..8].join(" ");
    for place in 0..8 {
        let found: BTreeSet<u8> = names.iter().map(|name| name.as_bytes()[place]).collect();
        ensure!(
            found.len() >= 11,
            "place {} of {NAMES} hostnames shows {} of 16 digits: {shown} …",
            place + 1,
            found.len()
        );
    }
    let numbers = names.iter().map(|name| u32::from_str_radix(name, 16));
    let numbers = numbers.collect::<Result<Vec<u32>, _>>()?;
    let is_next = |pair: &&[u32]| pair[1].wrapping_sub(pair[0]) < 1 << 30;
    let next = numbers.windows(2).filter(is_next).count();
    ensure!(
        next < NAMES / 2,
        "{next} of {NAMES} hostnames are a little more than the one before: {shown} …"
    );
    Ok(())
}

/// The interfaces in the text of /proc/net/dev.
fn interfaces_in(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned()))
        .collect()
}

/// Where the kernel has tunnels, each new network namespace begins with some of them beside lo
/// (sit0, tunl0: net.core.fb_tunnels_only_for_init_net). So these must be just the interfaces
/// that unshare(1) gets in a new namespace.
pub(super) fn must_be_new(bench: &Bench, mut found: Vec<String>) -> anyhow::Result<()> {
    let new = bench
        .run("unshare", ["-rn", "cat", "/proc/net/dev"])
        .finish()?
        .must_end_with(0)?;
    let mut expected = interfaces_in(&new.text());
    expected.sort();
    found.sort();
    ensure!(
        found == expected,
        "the interfaces are {found}, and a new namespace has {expected}",
        found = told(&found),
        expected = told(&expected)
    );
    Ok(())
}
