//! Chapter 13: which system calls the default filter refuses.

use anyhow::{Context, ensure};
use libc::c_long;
use nix::sys::signal::Signal;

use super::{OPEN, Rights, answers, effects::written};
use crate::{
    checks::{Check, holds},
    layered::layers_with_inside,
    named::{call, container_that, exec},
    process::children_of,
    told,
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        13,
        "the filter refuses what Docker's refuses",
        "compile the profile for the capabilities that the container keeps, and install it last: \
         whatever was added, nobody gets the calls that Docker lets nobody have",
        |bench| {
            let calls: Vec<String> =
                REFUSED.iter().map(|call| written(call.number, call.arguments)).collect();
            let confined = answers(bench, &[], &calls)?;
            let all = answers(bench, &["--cap-add", "ALL"], &calls)?;
            let open = answers(bench, &OPEN, &calls)?;
            for (index, one) in REFUSED.iter().enumerate() {
                let made = format!("{} {}", one.name, one.arguments);
                let (confined, all, open) = (&confined[index], &all[index], &open[index]);
                ensure!(confined == one.answer, "{made}: {confined}, not {}", one.answer);
                let (expected, why) = match one.opened {
                    true => (open, "with --cap-add ALL it is as without the filter"),
                    false => (confined, "--cap-add ALL does not open it"),
                };
                ensure!(all == expected, "{made}: {why}: {all}, not {expected}");
                let differs = one.looks_alike || open != confined;
                ensure!(differs, "{made}: the kernel itself answers {open}: nothing is proven");
            }
            holds()
        },
    ),
    Check::new(
        13,
        "what programs usually call passes the filter",
        "let through all that Docker lets through: a call that is refused without need breaks a \
         program",
        |bench| {
            let calls: Vec<String> =
                PASSES.iter().map(|(_, number, words)| written(*number, words)).collect();
            let confined = answers(bench, &[], &calls)?;
            let open = answers(bench, &["--seccomp", "unconfined"], &calls)?;
            for ((name, _, words), (confined, open)) in
                PASSES.iter().zip(confined.iter().zip(&open))
            {
                ensure!(confined == open, "{name} {words}: {confined}, and without filter {open}");
            }
            holds()
        },
    ),
    Check::new(
        13,
        "a call of another architecture ends the process",
        "a filter sees numbers, and each architecture has its own: look at the architecture first, \
         and refuse the numbers of x32",
        |bench| {
            let layers = layers_with_inside(bench)?;
            let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
            let getpid_of_x32 = "1073741863";
            let found = answers(bench, &["--cap-add", "ALL"], &[getpid_of_x32.into()])?;
            ensure!(found == ["ENOSYS"], "x32: {found}", found = told(&found));
            if cfg!(target_arch = "x86_64") {
                let words = [&["run", "-q"], &layers[..], &["--", "/inside", "int80"]].concat();
                call(bench, &words)
                    .finish()?
                    .must_end_with(128 + libc::SIGSYS)?
                    .must_write("")?;
                let open =
                    [&["run", "-q"], &OPEN[..], &layers, &["--", "/inside", "int80"]].concat();
                let ended = call(bench, &open).finish()?;
                let status = ended.status();
                // A kernel without them ends the process, too, with another signal.
                ensure!(status != 128 + libc::SIGSYS, "without the filter: {status}");
            }
            holds()
        },
    ),
    Check::new(
        13,
        "the filter and no_new_privs hold for all that runs inside",
        "a filter is inherited by children and threads, and nobody can take it off; but a process \
         that joins has none, so exec must install it as well",
        |bench| {
            let layers = layers_with_inside(bench)?;
            let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
            let script = "sleep 1000 & echo up; read word";
            for options in [&["-q"][..], &["-q", "--init"]] {
                let words = [options, &layers].concat();
                let mut running = container_that(bench, "box", &words, script)?;
                let mut joined = exec(bench, &["box"], "sleep 1000 & echo up; wait").start()?;
                joined.until("up\n")?;
                let mut found = children_of(joined.pid())?;
                found.push(running.command()?);
                let mut seen = 0;
                while let Some(pid) = found.pop() {
                    found.extend(children_of(pid)?);
                    let rights = Rights::of(pid)?;
                    let holds = rights.has_filter && rights.no_new_privileges;
                    ensure!(holds, "{options}: {rights}", options = told(&options));
                    seen += 1;
                }
                let expected = 4 + options.len() - 1;
                ensure!(seen == expected, "{seen} processes were seen, not {expected}");
                let keyctl = written(libc::SYS_keyctl, "0");
                let how = "/inside call \"$0\" && /inside call --thread \"$0\"";
                let words = ["exec", "-q", "box", "--", "sh", "-c", how, &keyctl];
                let ended = call(bench, &words).finish()?.must_end_with(0)?;
                ended
                    .must_write("EPERM\nEPERM\n")
                    .context("a child and its thread, of exec's")?;
                joined.signal(Signal::SIGTERM)?;
                joined.finish()?.must_end_with(143)?;
                running.say("end\n")?;
                running.finish()?.must_end_with(0)?;
            }
            holds()
        },
    ),
];

/// A call that the default filter refuses.
struct Refused {
    name: &'static str,
    number: c_long,
    arguments: &'static str,
    /// What the filter answers.
    answer: &'static str,
    /// With all capabilities it is let through.
    opened: bool,
    /// The kernel may give the same answer to root inside.
    looks_alike: bool,
}

/// What Docker lets nobody have.
const fn never(name: &'static str, number: c_long, arguments: &'static str) -> Refused {
    Refused {
        name,
        number,
        arguments,
        answer: "EPERM",
        opened: false,
        looks_alike: false,
    }
}

/// What Docker lets those have who have a capability.
const fn opened(name: &'static str, number: c_long, arguments: &'static str) -> Refused {
    Refused {
        opened: true,
        ..never(name, number, arguments)
    }
}

/// One that the kernel refuses root inside as well.
const fn alike(name: &'static str, number: c_long, arguments: &'static str) -> Refused {
    Refused {
        looks_alike: true,
        ..never(name, number, arguments)
    }
}

/// Both.
const fn alike_opened(name: &'static str, number: c_long, arguments: &'static str) -> Refused {
    Refused {
        looks_alike: true,
        ..opened(name, number, arguments)
    }
}

/// Its answer is that this kernel does not have it.
const fn unknown(name: &'static str, number: c_long, arguments: &'static str) -> Refused {
    Refused {
        answer: "ENOSYS",
        ..opened(name, number, arguments)
    }
}

/// One that Docker's profile does not know: as on a kernel without it.
const fn newer(name: &'static str, number: c_long) -> Refused {
    Refused {
        answer: "ENOSYS",
        ..alike(name, number, "")
    }
}

/// The arguments are wrong, so that nothing happens without the filter: descriptor 9999, null
/// pointers, flags that nobody has.
const REFUSED: [Refused; 42] = [
    never("keyctl", libc::SYS_keyctl, "0"),
    never("add_key", libc::SYS_add_key, "0 0 0 0 0"),
    never("request_key", libc::SYS_request_key, "0 0 0 0"),
    never("userfaultfd", libc::SYS_userfaultfd, "65535"),
    never("io_uring_enter", libc::SYS_io_uring_enter, "9999 0 0 0 0 0"),
    never("io_uring_register", libc::SYS_io_uring_register, "9999 0 0 0"),
    never("pivot_root", libc::SYS_pivot_root, "0 0"),
    never("personality", libc::SYS_personality, "262144"), // ADDR_NO_RANDOMIZE
    never("socket of AF_VSOCK", libc::SYS_socket, "40 1 0"),
    never(
        "the same, with a bit that the kernel ignores",
        libc::SYS_socket,
        "4294967336 1 0",
    ),
    never("socket of AF_ALG", libc::SYS_socket, "38 5 0"),
    alike("io_uring_setup", libc::SYS_io_uring_setup, "0 0"),
    alike("kexec_load", libc::SYS_kexec_load, "0 0 0 0"),
    alike("swapon", libc::SYS_swapon, "0 0"),
    opened("unshare of a user namespace", libc::SYS_unshare, "268435456"),
    opened("unshare of a mount namespace", libc::SYS_unshare, "131072"),
    opened(
        "clone with CLONE_NEWUSER and, against the rules, CLONE_FS",
        libc::SYS_clone,
        "268435968",
    ),
    opened("mount", libc::SYS_mount, "0 0 0 0 0"),
    opened("umount2", libc::SYS_umount2, "0 0"),
    opened("setns", libc::SYS_setns, "9999 0"),
    opened("fsopen", libc::SYS_fsopen, "0 0"),
    opened("fsmount", libc::SYS_fsmount, "9999 0 0"),
    opened("open_tree", libc::SYS_open_tree, "9999 0 0"),
    opened("move_mount", libc::SYS_move_mount, "9999 0 9999 0 0"),
    opened("mount_setattr", libc::SYS_mount_setattr, "9999 0 0 0 0"),
    opened("sethostname", libc::SYS_sethostname, "0 9999"),
    opened("setdomainname", libc::SYS_setdomainname, "0 9999"),
    opened("perf_event_open", libc::SYS_perf_event_open, "0 0 0 0 4294967295"),
    opened("reboot, without its magic numbers", libc::SYS_reboot, "0 0 0 0"),
    opened("settimeofday", libc::SYS_settimeofday, "1 0"),
    opened("clock_settime", libc::SYS_clock_settime, "99 0"),
    opened("kcmp", libc::SYS_kcmp, "0 0 99 0 0"),
    opened("pidfd_getfd", libc::SYS_pidfd_getfd, "9999 0 0"),
    opened("set_mempolicy", libc::SYS_set_mempolicy, "99 0 0"),
    alike_opened("bpf", libc::SYS_bpf, "0 0 0"),
    alike_opened("open_by_handle_at", libc::SYS_open_by_handle_at, "9999 0 0"),
    alike_opened("init_module", libc::SYS_init_module, "0 0 0"),
    alike_opened("syslog", libc::SYS_syslog, "99 0 0"),
    unknown("clone3, whose flags are in memory", libc::SYS_clone3, "0 0"),
    never("a number that no call has", 400, ""),
    newer("listns, newer than the profile", 470),
    newer("a call that nobody knows", 600),
];

/// Some that every program makes, and some that look dangerous.
const PASSES: [(&str, c_long, &str); 32] = [
    ("getpid", libc::SYS_getpid, ""),
    ("openat", libc::SYS_openat, "9999 0 0"),
    ("openat2", libc::SYS_openat2, "9999 0 0 0"),
    ("execve", libc::SYS_execve, "0 0 0"),
    ("socket of AF_UNIX", libc::SYS_socket, "1 1 0"),
    ("socket of AF_INET", libc::SYS_socket, "2 1 0"),
    ("socket of AF_INET, raw", libc::SYS_socket, "2 3 1"),
    ("socket of AF_NETLINK", libc::SYS_socket, "16 3 0"),
    ("socket of AF_PACKET", libc::SYS_socket, "17 3 0"),
    ("ptrace", libc::SYS_ptrace, "16 999999999"),
    ("process_vm_readv", libc::SYS_process_vm_readv, "999999999 1 1 1 1 0"),
    ("chroot", libc::SYS_chroot, "0"),
    ("mknodat", libc::SYS_mknodat, "9999 0 0 0"),
    ("capset", libc::SYS_capset, "0 0"),
    ("prctl", libc::SYS_prctl, "9999 0 0 0 0"),
    ("seccomp", libc::SYS_seccomp, "99 0 0"),
    ("landlock_create_ruleset", libc::SYS_landlock_create_ruleset, "0 0 1"),
    ("personality of Linux", libc::SYS_personality, "0"),
    ("personality, which is it?", libc::SYS_personality, "4294967295"),
    ("memfd_create", libc::SYS_memfd_create, "0 0"),
    ("pidfd_open", libc::SYS_pidfd_open, "0 0"),
    ("pidfd_send_signal", libc::SYS_pidfd_send_signal, "9999 0 0 0"),
    ("setgroups", libc::SYS_setgroups, "0 0"),
    ("setresuid", libc::SYS_setresuid, "0 0 0"),
    ("unlinkat", libc::SYS_unlinkat, "9999 0 0"),
    ("fchownat", libc::SYS_fchownat, "9999 0 0 0 0"),
    ("io_setup", libc::SYS_io_setup, "0 0"),
    ("epoll_create1", libc::SYS_epoll_create1, "0"),
    ("mq_open", libc::SYS_mq_open, "0 0 0 0"),
    ("getrandom", libc::SYS_getrandom, "0 0 0"),
    ("sched_setaffinity", libc::SYS_sched_setaffinity, "0 0 0"),
    ("name_to_handle_at", libc::SYS_name_to_handle_at, "9999 0 0 0 0"),
];
