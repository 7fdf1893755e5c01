// ANCHOR: all
//! Stage 4: mounts of its own.

use std::{path::Path, process::ExitCode};

use ch01_uts::{CLONE_NEWUTS, set_hostname};
use ch02_ipc::CLONE_NEWIPC;
use ch03_pid::{CLONE_NEWPID, Job, say_who_i_am};
use ch04_mount::{CLONE_NEWNS, enter_rootfs, make_private, mount_proc};
use clap::Parser;
use lab::Program;

/// Runs a command in new UTS, IPC, PID and mount namespaces: its /proc lists its own processes.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    uts: ch01_uts::UtsOptions,
    #[command(flatten)]
    mount: ch04_mount::MountOptions,
    #[command(flatten)]
    lab: lab::StageOptions,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        cli.lab.apply();
        cli.mount.check()?;
        lab::become_root()?;
        let job = Job::new()?;
        let namespaces = CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS;
        let child = job.spawn(namespaces, || {
            say_who_i_am()?;
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            make_private()?;
            match &cli.mount.rootfs {
                Some(rootfs) => enter_rootfs(rootfs)?,
                None => mount_proc(Path::new("/proc"))?,
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        job.wait(child)
    })
}
// ANCHOR_END: all
