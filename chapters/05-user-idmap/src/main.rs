// ANCHOR: all
//! Stage 5: root of a user namespace, and nobody special outside.

use std::{path::Path, process::ExitCode};

use ch01_uts::{set_hostname, spawn};
use ch03_pid::{Terminal, say_who_i_am, wait_for_init};
use ch04_mount::{enter_rootfs, make_private, mount_proc};
use ch05_user_idmap::{Gate, NAMESPACES, User, become_user};
use clap::Parser;

/// Runs a command as root of a user namespace of its own: no privilege is needed.
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
        let maps = cli.ids.maps()?;
        let terminal = Terminal::find()?;
        let mut gate = Gate::new()?;
        let child = spawn(NAMESPACES, || {
            gate.wait()?;
            terminal.take()?;
            if maps.as_ref().is_some_and(|maps| maps.contain(User::ROOT)) {
                become_user(User::ROOT)?;
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
            lab::exec(&cli.lab.command)
        })?;
        terminal.lend(child.pid())?;
        // ANCHOR: exercise-parent
        if let Some(maps) = &maps {
            maps.write(child.pid())?;
        }
        gate.open()?;
        // ANCHOR_END: exercise-parent
        wait_for_init(child, &terminal)
    })
}
// ANCHOR_END: all
