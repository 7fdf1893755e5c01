//! Stage 6: the program runs itself again, inside, before the command is there.

use std::{path::Path, process::ExitCode};

use ch01_uts::{set_hostname, spawn};
use ch03_pid::{Terminal, say_who_i_am, wait_for_init};
use ch04_mount::{enter_rootfs, make_private, mount_proc};
use ch05_user_idmap::{Gate, User, become_user};
use ch06_reexec::{
    NAMESPACES, become_function, bring_up_loopback, init, random_hostname, register,
};
use clap::Parser;
use lab::{Exit, Failure};

/// Runs a command in new UTS, IPC, PID, mount, user and network namespaces, set up from inside.
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
        register("nsInitialisation", ns_initialisation);
        init().unwrap_or_else(|| parent(&cli))
    })
}

/// The first start: makes the namespaces, and lets the second start loose in them.
fn parent(cli: &Cli) -> anyhow::Result<Exit> {
    let Some(maps) = cli.ids.maps()?.filter(|maps| maps.contain(User::ROOT)) else {
        return Err(Failure::usage(
            "execve takes all capabilities from a process that is not id 0 inside: map id 0",
        ));
    };
    let terminal = Terminal::find()?;
    let mut gate = Gate::new()?;
    let child = spawn(NAMESPACES, || {
        gate.wait()?;
        terminal.take()?;
        become_user(User::ROOT)?;
        become_function("nsInitialisation")
    })?;
    terminal.lend(child.pid())?;
    maps.write(child.pid())?;
    gate.open()?;
    wait_for_init(child, &terminal)
}

/// The second start, inside: sets everything up, and becomes the command.
fn ns_initialisation() -> anyhow::Result<Exit> {
    let cli: Cli = lab::parse()?;
    say_who_i_am()?;
    set_hostname(&cli.uts.hostname.map_or_else(random_hostname, Ok)?)?;
    make_private()?;
    match &cli.mount.rootfs {
        Some(rootfs) => enter_rootfs(rootfs)?,
        None => mount_proc(Path::new("/proc"))?,
    }
    bring_up_loopback()?;
    if let Some(user) = cli.ids.user {
        become_user(user)?;
    }
    match lab::exec(&cli.lab.command)? {}
}
