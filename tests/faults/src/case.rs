//! One fault: of which process, when, and what?

use std::{fmt, str::FromStr, time::Duration};

use anyhow::{Context, bail};
use judge::{User, chapters::Chapter};
use nix::errno::Errno;

use crate::{
    calls::{self, Call},
    shortage::Shortage,
    stages::stages,
};

/// Which process of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that was started.
    Parent,
    /// From 9 on: the one that mounts and clears up.
    Keeper,
    /// The container's, before it executes the command.
    Init,
    /// The container's, from then on.
    Command,
    /// Any other.
    Helper,
}

/// All of them.
pub const ROLES: [Role; 5] = [Role::Parent, Role::Keeper, Role::Init, Role::Command, Role::Helper];

impl Role {
    /// As it stands in a case.
    pub fn name(self) -> &'static str {
        match self {
            Role::Parent => "parent",
            Role::Keeper => "keeper",
            Role::Init => "init",
            Role::Command => "command",
            Role::Helper => "helper",
        }
    }
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// As it begins this system call, counted from 1 among all calls of processes in its role.
    Call(usize),
    /// From the start on.
    Start,
    /// So long after the start.
    After(Duration),
}

/// What.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// SIGKILL.
    Kill,
    /// The next such call of that process fails so, and is not made.
    Fail(&'static Call, Errno),
    /// There is too little of something.
    Short(Shortage),
}

/// A fault, of a stage that is started by a user.
#[derive(Clone, Copy)]
pub struct Case {
    pub chapter: &'static Chapter,
    pub user: User,
    pub role: Role,
    pub moment: Moment,
    pub fault: Fault,
}

/// `09-aufs root keeper 123 openat:EMFILE`, `09-aufs user parent 1200us KILL`.
impl fmt::Display for Case {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stage, user, role) = (self.chapter.name, self.user.name(), self.role.name());
        write!(text, "{stage} {user} {role} ")?;
        match self.moment {
            Moment::Call(number) => write!(text, "{number} ")?,
            Moment::Start => text.write_str("start ")?,
            Moment::After(time) => write!(text, "{}us ", time.as_micros())?,
        }
        match self.fault {
            Fault::Kill => text.write_str("KILL"),
            Fault::Fail(call, errno) => write!(text, "{}:{errno:?}", call.name),
            Fault::Short(shortage) => shortage.fmt(text),
        }
    }
}

impl FromStr for Case {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Case> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [stage, user, role, moment, fault] = words[..] else {
            bail!("a case is five words: STAGE USER ROLE MOMENT FAULT")
        };
        let chapter = stages().into_iter().find(|chapter| chapter.name.starts_with(stage));
        let role = ROLES.into_iter().find(|one| one.name() == role);
        let user = User::all().iter().find(|one| one.name() == user);
        let moment = match moment.strip_suffix("us") {
            None if moment == "start" => Moment::Start,
            Some(time) => Moment::After(Duration::from_micros(time.parse().context("a time")?)),
            None => Moment::Call(moment.parse().context("the number of a call, or a time")?),
        };
        Ok(Case {
            chapter: chapter
                .with_context(|| format!("no stage that is tried is called {stage}"))?,
            user: *user.context("the user is root, if you are, or user")?,
            role: role.context("the role is parent, keeper, init, command or helper")?,
            moment,
            fault: fault_of(fault)?,
        })
    }
}

fn fault_of(word: &str) -> anyhow::Result<Fault> {
    if word == "KILL" {
        return Ok(Fault::Kill);
    }
    if word.contains('=') {
        return word.parse().map(Fault::Short);
    }
    let (call, errno) = word
        .split_once(':')
        .context("a fault is KILL, CALL:ERROR, or SHORTAGE=NUMBER")?;
    let known = calls::ERRORS.into_iter().find(|one| format!("{one:?}") == errno);
    Ok(Fault::Fail(
        calls::named(call).with_context(|| format!("no call is called {call}"))?,
        known.with_context(|| format!("no error is called {errno}"))?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read_as_it_is_written() {
        for text in [
            "09-aufs user keeper 123 openat:EMFILE",
            "13-privileges user init 120us KILL",
            "08-pipe-init user parent start nofile=12",
        ] {
            let case: Case = text.parse().expect("it is one");
            assert_eq!(case.to_string(), text);
        }
        for wrong in [
            "09 user keeper 1",
            "09 user init start closed=8",
            "09 user you 1 KILL",
            "09 user init 1 openat:EGOOD",
        ] {
            assert!(wrong.parse::<Case>().is_err(), "{wrong}");
        }
    }
}
