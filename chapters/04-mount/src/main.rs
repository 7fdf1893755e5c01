//! Stage 4: mounts of its own.

use std::{path::Path, process::ExitCode};

use ch01_uts::{set_hostname, spawn};
use ch03_pid::{Terminal, say_who_i_am, wait_for_init};
use ch04_mount::{NAMESPACES, enter_rootfs, make_private, mount_proc};
use clap::Parser;

/// Runs a command with mounts of its own: its /proc shows its own processes only.
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
        lab::become_root()?;
        let terminal = Terminal::find()?;
        let child = spawn(NAMESPACES, || {
            terminal.take()?;
            say_who_i_am()?;
            if let Some(name) = &cli.uts.hostname {
                set_hostname(name)?;
            }
            make_private()?;
            match &cli.mount.rootfs {
                Some(rootfs) => enter_rootfs(rootfs)?,
                None => mount_proc(Path::new("/proc"))?,
            }
            lab::exec(&cli.lab.command)
        })?;
        terminal.lend(child.pid())?;
        wait_for_init(child, &terminal)
    })
}
