//! Runs a command in a new user namespace and nothing else, with the privileges of the options.
//! `confined --cap-drop ALL chown 1 file`

use std::{fs, process::ExitCode};

use ch01_uts::spawn;
use ch05_user_idmap::{CLONE_NEWUSER, Gate, Maps, User, become_user};
use ch13_privileges::PrivilegeOptions;
use clap::Parser;
use lab::{Exit, Next, Program, StageOptions};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    privileges: PrivilegeOptions,

    /// Become this user and group inside
    #[arg(long, value_name = "UID:GID", default_value = "0:0")]
    user: User,

    /// With the ids that /etc/subuid and /etc/subgid grant, or as root: with all
    #[arg(long)]
    more_ids: bool,

    /// Show the capabilities before the execve(2), and end
    #[arg(long)]
    show: bool,

    #[command(flatten)]
    stage: StageOptions,
}

fn main() -> ExitCode {
    lab::run(|| -> anyhow::Result<Exit> {
        let cli: Cli = lab::parse()?;
        cli.stage.apply();
        let privileges = cli.privileges.privileges()?;
        let maps = match (cli.more_ids, nix::unistd::geteuid().is_root()) {
            (false, _) => Maps::of_own_ids()?,
            (true, true) => Maps::identity()?,
            (true, false) => Maps::of_granted_ids()?,
        };
        let gate = Gate::new()?;
        let child = spawn(CLONE_NEWUSER, || {
            gate.wait()?;
            become_user(User::ROOT)?;
            privileges.apply(Some(cli.user))?;
            if cli.show {
                print!("{}", fs::read_to_string("/proc/self/status")?);
                return Ok(Next::End(Exit::Code(0)));
            }
            Ok(Next::from(Program::command(&cli.stage.command)))
        })?;
        maps.write(child.pid())?;
        privileges.limits.grant(child.pid())?;
        gate.open()?;
        child.wait()
    })
}
