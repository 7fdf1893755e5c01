// ANCHOR: all
//! Stage 7: a container that starts with limits.

use std::{path::Path, process::ExitCode};

use ch01_uts::set_hostname;
use ch03_pid::{Job, say_who_i_am};
use ch04_mount::{enter_rootfs, make_private, mount_proc};
use ch05_user_idmap::{Gate, User, become_user};
use ch06_reexec::{
    NAMESPACES, become_function, bring_up_loopback, hostname_or_random, init, register,
    require_inside, require_root_inside,
};
use ch07_cgroup_memory::Groups;
use clap::Parser;
use lab::{Exit, Next, Program};

/// Runs a command in new namespaces, in a cgroup that limits what it may use.
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
    #[command(flatten)]
    lab: lab::StageOptions,
}

fn main() -> ExitCode {
    lab::run(|| {
        let cli: Cli = lab::parse()?;
        cli.lab.apply();
        register("nsInitialisation", ns_initialisation);
        init().unwrap_or_else(|| parent(&cli).map(Next::from))
    })
}

/// The first start: makes the groups and the namespaces, in which the child becomes the second
/// start.
fn parent(cli: &Cli) -> anyhow::Result<Exit> {
    cli.mount.check()?;
    let maps = require_root_inside(cli.ids.maps()?)?;
    let job = Job::new()?;
    let groups = Groups::create(&cli.cgroup)?;
    let gate = Gate::new()?;
    let child = job.spawn(NAMESPACES, || {
        gate.wait()?;
        become_user(User::ROOT)?;
        Ok(become_function("nsInitialisation"))
    })?;
    maps.write(child.pid())?;
    // ANCHOR: exercise-order
    groups.add(child.pid())?; // before the gate opens: the command starts with its limits
    gate.open()?;
    // ANCHOR_END: exercise-order
    let outcome = job.wait(child);
    groups.report();
    outcome
}

/// The second start, inside: sets everything up and becomes the command.
fn ns_initialisation() -> anyhow::Result<Next> {
    let cli: Cli = lab::parse()?;
    require_inside()?;
    say_who_i_am()?;
    set_hostname(&hostname_or_random(cli.uts.hostname)?)?;
    make_private()?;
    match &cli.mount.rootfs {
        Some(rootfs) => enter_rootfs(rootfs)?,
        None => mount_proc(Path::new("/proc"))?,
    }
    bring_up_loopback()?;
    if let Some(user) = cli.ids.user {
        become_user(user)?;
    }
    Ok(Program::command(&cli.lab.command).into())
}
// ANCHOR_END: all
