//! What can a chapter say about this machine?
//!
//! Each chapter's library has a `probe()` that finds out, by trying, whether its idea
//! works here. The doctor prints the answers, and a test that cannot run skips with
//! their words.

/// What a chapter found out about this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Probe {
    /// The chapter's stage works.
    Runs,
    /// It works, but for something; each entry says what does not, and what to do.
    InPart(Vec<String>),
    /// It does not work: because of what, and what to do.
    DoesNotRun(String),
}

impl Probe {
    /// `Runs` if `trial` succeeded, else `DoesNotRun` with its error as the reason.
    pub fn of<T>(trial: anyhow::Result<T>) -> Probe {
        match trial {
            Ok(_) => Probe::Runs,
            Err(error) => Probe::DoesNotRun(format!("{error:#}")),
        }
    }

    /// The same answer, with one more thing that does not work unless `trial` succeeded.
    pub fn but<T>(self, trial: anyhow::Result<T>) -> Probe {
        let Err(error) = trial else { return self };
        let reason = format!("{error:#}");
        match self {
            Probe::Runs => Probe::InPart(vec![reason]),
            Probe::InPart(mut reasons) => {
                reasons.push(reason);
                Probe::InPart(reasons)
            }
            worse @ Probe::DoesNotRun(_) => worse,
        }
    }

    /// The verdict in the doctor's words.
    pub fn verdict(&self) -> &'static str {
        match self {
            Probe::Runs => "runs",
            Probe::InPart(_) => "runs in part",
            Probe::DoesNotRun(_) => "does not run",
        }
    }

    /// Because of what, and what to do: one entry a reason.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Probe::Runs => Vec::new(),
            Probe::InPart(reasons) => reasons.clone(),
            Probe::DoesNotRun(reason) => vec![reason.clone()],
        }
    }
}
