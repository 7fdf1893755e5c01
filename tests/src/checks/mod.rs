//! What must hold for each chapter, and for those above it?

mod ch01;
mod ch02;
mod ch03;
mod ch04;
mod ch05;
mod ch06;
mod ch07;
mod ch08;
mod ch09;
mod ch10;
mod ch11;
mod ch12;
mod ch13;
mod further;

use std::process;

use anyhow::{Context, bail, ensure};

use crate::{
    User,
    bench::{Bench, nobody_looked_at},
    delegation,
    host::{Difference, Snapshot, nobody_stays},
    told,
};

/// How a check ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It could not be judged here, because of this.
    Skipped(String),
}

/// One thing that must hold, for a chapter and for those above it.
pub struct Check {
    /// The chapter whose idea it is.
    pub chapter: u8,
    /// What must hold, in a few words.
    pub name: &'static str,
    /// What you have not understood yet if your stage fails it.
    pub teaches: &'static str,
    /// From which stage on it does not hold any more, if there is one, and the reason.
    pub until: Option<(u8, &'static str)>,
    /// The only user for whom it can be tried, if not for both.
    pub only_as: Option<User>,
    /// Whether it is asked of a learner's stage.
    pub in_the_workshop: bool,
    /// Whether its containers need what stage 13 takes away.
    needs_privileges: bool,
    /// Whether it is about many containers, and so takes seconds: stages between are spared it.
    pub takes_long: bool,
    run: fn(&Bench) -> anyhow::Result<Outcome>,
}

impl Check {
    /// A check of `chapter` and of those above it, called `name`. It finds out by `run`; a learner
    /// whose stage fails it is told what it `teaches`.
    pub const fn new(
        chapter: u8,
        name: &'static str,
        teaches: &'static str,
        run: fn(&Bench) -> anyhow::Result<Outcome>,
    ) -> Check {
        Check {
            chapter,
            name,
            teaches,
            until: None,
            only_as: None,
            in_the_workshop: true,
            needs_privileges: false,
            takes_long: false,
            run,
        }
    }

    /// From this stage on it does not hold any more, for this reason.
    const fn until(self, stage: u8, reason: &'static str) -> Check {
        Check {
            until: Some((stage, reason)),
            ..self
        }
    }

    /// It makes so many containers, or so much for one, that a stage between the chapter's own and
    /// the last is spared it.
    const fn that_takes_long(self) -> Check {
        Check {
            takes_long: true,
            ..self
        }
    }

    /// It is about this user only: for the other there is nothing to try.
    const fn only_as(self, user: User) -> Check {
        Check {
            only_as: Some(user),
            ..self
        }
    }

    /// What it tests is no privilege, but it needs one: from stage 13 on, its containers get all.
    const fn privileged(self) -> Check {
        Check {
            needs_privileges: true,
            ..self
        }
    }

    /// It takes longer than a learner waits, or is about another program than the stage;
    /// `make test` has it.
    const fn not_in_the_workshop(self) -> Check {
        Check {
            in_the_workshop: false,
            ..self
        }
    }

    /// Whether it is to hold for this stage, run by this user.
    pub fn is_for(&self, stage: u8, user: User) -> bool {
        let ends = self.until.is_none_or(|(end, _)| stage < end);
        stage >= self.chapter && ends && self.only_as.is_none_or(|only| only == user)
    }

    /// Its chapter and its name: `04 a mount made inside does not reach the host`.
    pub fn full_name(&self) -> String {
        format!("{:02} {}", self.chapter, self.name)
    }

    /// Runs it on a stage, and then sees whether the machine is as it was.
    ///
    /// Another program may have changed the machine meanwhile. So a change that can be another's
    /// is looked for a second time: a stage that leaves something leaves it again.
    ///
    /// # Errors
    ///
    /// What does not hold, as the kernel said it.
    pub fn judge(&self, bench: &Bench) -> anyhow::Result<Outcome> {
        let (outcome, first) = self.try_once(bench)?;
        if first.is_empty() {
            return Ok(outcome);
        }
        if first.iter().all(|difference| difference.may_be_anothers) {
            let (outcome, second) = self.try_once(&bench.again()?)?;
            if second.is_empty() {
                eprintln!("meanwhile, another program left {}", shown(&first));
                return Ok(outcome);
            }
            bail!(
                "the machine is not as it was, twice: {} (was it another program? check again)",
                shown(&second)
            );
        }
        bail!("the machine is not as it was: {}", shown(&first))
    }

    fn try_once(&self, bench: &Bench) -> anyhow::Result<(Outcome, Vec<Difference>)> {
        let before = Snapshot::take(bench.user, &bench.temporary())?;
        nobody_looked_at();
        if self.needs_privileges {
            bench.give_privileges();
        }
        let outcome = (self.run)(bench);
        if outcome.is_err() {
            delegation::clear(process::id());
        }
        let (unlooked, stayed) = (nobody_looked_at(), nobody_stays());
        let after = Snapshot::take(bench.user, &bench.temporary());
        let outcome = outcome?;
        stayed?;
        ensure!(
            unlooked.is_empty(),
            "the check did not look at the status of {unlooked}",
            unlooked = told(&unlooked)
        );
        let after = after.context("the host's own /proc is not what it was")?;
        Ok((outcome, before.differences(&after)))
    }
}

fn shown(differences: &[Difference]) -> String {
    differences.iter().map(|one| one.text.clone()).collect::<Vec<_>>().join("; ")
}

/// All checks, lowest chapter first.
pub fn all() -> impl Iterator<Item = &'static Check> {
    let chapters: [&[&[Check]]; 13] = [
        ch01::CHECKS,
        &[ch02::CHECKS],
        ch03::CHECKS,
        ch04::CHECKS,
        ch05::CHECKS,
        &[ch06::CHECKS],
        ch07::CHECKS,
        ch08::CHECKS,
        ch09::CHECKS,
        ch10::CHECKS,
        ch11::CHECKS,
        ch12::CHECKS,
        ch13::CHECKS,
    ];
    chapters.into_iter().flatten().copied().flatten()
}

/// The check that `04 a mount made inside does not reach the host` names.
pub fn named(full_name: &str) -> Option<&'static Check> {
    all().chain(further()).find(|check| check.full_name() == full_name)
}

/// The checks of the workshop's further exercises, whose answers are not in the chapters.
pub fn further() -> impl Iterator<Item = &'static Check> {
    further::all()
}

/// `Holds`, for a check whose last line was an `ensure!`.
fn holds() -> anyhow::Result<Outcome> {
    Ok(Outcome::Holds)
}
