// ANCHOR: all
//! Stage 7: a container that gets no more than it may.

use std::{path::Path, process::ExitCode};

use ch01_uts::{set_hostname, spawn};
use ch03_pid::{Terminal, say_who_i_am, wait_for_init};
use ch04_mount::{enter_rootfs, make_private, mount_proc};
use ch05_user_idmap::{Gate, User, become_user};
use ch06_reexec::{become_function, bring_up_loopback, init, random_hostname, register};
use ch07_cgroup_memory::{Manager, NAMESPACES, Size, hog, named_hierarchy, show};
use clap::Parser;
use lab::{Exit, Failure};

/// Runs a command in new namespaces, in a cgroup that limits what it gets.
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
    cgroup: ch07_cgroup_memory::CgroupOptions,
    /// Instead of a command: allocate SIZE bytes and touch them
    #[arg(long, value_name = "SIZE", conflicts_with = "command")]
    hog: Option<Size>,
    /// Print the hierarchies and the groups that this process sits in
    #[arg(long)]
    show: bool,
    /// Make a v1 hierarchy without a subsystem, look at it, and remove it
    #[arg(long)]
    named_hierarchy: bool,
    #[command(flatten)]
    lab: lab::StageOptions,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        cli.lab.apply();
        register("nsInitialisation", ns_initialisation);
        register("hog", || lab::parse::<Cli>()?.hog.map_or(Ok(Exit::Code(0)), hog));
        if let Some(outcome) = init() {
            return outcome;
        }
        if cli.show {
            return show().map(|()| Exit::Code(0));
        }
        if cli.named_hierarchy {
            return named_hierarchy().map(|()| Exit::Code(0));
        }
        parent(&cli)
    })
}

/// The first start: makes the groups and the namespaces, and lets the second start loose in them.
fn parent(cli: &Cli) -> anyhow::Result<Exit> {
    let Some(maps) = cli.ids.maps()?.filter(|maps| maps.contain(User::ROOT)) else {
        return Err(Failure::usage(
            "execve takes all capabilities from a process that is not id 0 inside: map id 0",
        ));
    };
    let groups = Manager::create(&cli.cgroup.resources())?;
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
    // ANCHOR: exercise-order
    groups.add(child.pid())?; // before the gate opens: the command never lives without its limits
    gate.open()?;
    // ANCHOR_END: exercise-order
    let exit = wait_for_init(child, &terminal)?;
    groups.report()?;
    Ok(exit)
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
    if cli.hog.is_some() {
        match become_function("hog")? {}
    }
    match lab::exec(&cli.lab.command)? {}
}
// ANCHOR_END: all
