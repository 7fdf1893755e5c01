// ANCHOR: all
//! Stage 5: root of a user namespace, and still the caller outside.

use std::{path::Path, process::ExitCode};

use ch01_uts::{CLONE_NEWUTS, set_hostname};
use ch02_ipc::CLONE_NEWIPC;
use ch03_pid::{CLONE_NEWPID, Job, say_who_i_am};
use ch04_mount::{CLONE_NEWNS, enter_rootfs, make_private, mount_proc};
use ch05_user_idmap::{CLONE_NEWUSER, Gate, become_user};
use clap::Parser;
use lab::Program;

/// Runs a command as root of a new user namespace: no privilege is needed.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    uts: ch01_uts::UtsOptions,
    #[command(flatten)]
    mount: ch04_mount::MountOptions,
    #[command(flatten)]
    ids: ch05_user_idmap::IdMapOptions,
    #[command(flatten)]
    lab: lab::StageOptions,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        cli.lab.apply();
        cli.mount.check()?;
        let maps = cli.ids.maps()?; // none with --no-map
        let job = Job::new()?;
        let gate = Gate::new()?;
        let namespaces = CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUSER;
        let child = job.spawn(namespaces, || {
            gate.wait()?;
            if let Some(maps) = &maps {
                become_user(cli.ids.first_user(maps))?; // root, who may set up the rest
            }
            say_who_i_am()?;
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            make_private()?;
            match &cli.mount.rootfs {
                Some(rootfs) => enter_rootfs(rootfs)?,
                None => mount_proc(Path::new("/proc"))?,
            }
            if let Some(user) = cli.ids.user {
                become_user(user)?;
            }
            Ok(Program::command(&cli.lab.command))
        })?;
        // ANCHOR: exercise-parent
        if let Some(maps) = &maps {
            maps.write(child.pid())?;
        }
        gate.open()?;
        // ANCHOR_END: exercise-parent
        job.wait(child)
    })
}
// ANCHOR_END: all
