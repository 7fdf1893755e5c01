// ANCHOR: options
//! Which options are there, and what do they mean?

use std::{ffi::OsString, fs::OpenOptions, io::Read, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::{Context, bail, ensure};
use ch01_uts::spawn;
use lab::{
    Exit, Failure, Fault, Namespaces, Next, Program,
    context::{self, Form},
    debug,
};

use crate::{
    CapabilitySet, Filter, Limit, Limits, Privileges,
    profile::{DEFAULT, Foreign, Profile},
};

/// The longest profile that is read. Docker's own has 17 kB.
const LONGEST: u64 = 1 << 20;

/// The options of what a process in the container may call and use.
#[derive(clap::Args, Clone, Debug)]
pub struct PrivilegeOptions {
    /// Let root inside keep this capability, such as NET_ADMIN; ALL for all (repeatable)
    #[arg(long, value_name = "NAME")]
    pub cap_add: Vec<String>,

    /// Take this capability of Docker's fourteen away; ALL for all (repeatable)
    #[arg(long, value_name = "NAME")]
    pub cap_drop: Vec<String>,

    /// The filter of system calls: default, unconfined, or a file in OCI's form of JSON
    #[arg(long, value_name = "PROFILE", default_value = "default")]
    pub seccomp: OsString,

    /// Limit what a process may use (repeatable): a number, or unlimited
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    pub ulimit: Vec<Limit>,

    /// Who is killed first for want of memory: from -1000 (never) to 1000
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(i32).range(-1000..=1000)
    )]
    pub oom_score_adj: Option<i32>,
}

impl PrivilegeOptions {
    /// What they mean. All is read, compiled and tried here, before anything is made.
    ///
    /// # Errors
    ///
    /// A capability is unknown, the profile makes no sense, or it refuses the execve(2) itself.
    pub fn privileges(&self) -> anyhow::Result<Privileges> {
        let capabilities = CapabilitySet::chosen(&self.cap_add, &self.cap_drop)?;
        let filter = match self.seccomp.to_str() {
            Some("unconfined") => None,
            Some("default") => Filter::of_default(capabilities)?,
            _ => read(Path::new(&self.seccomp), capabilities)?,
        };
        let privileges = Privileges {
            capabilities,
            filter,
            limits: Limits {
                limits: self.ulimit.clone(),
                oom_score_adj: self.oom_score_adj,
            },
        };
        debug!("{privileges}");
        Ok(privileges)
    }
}

impl Filter {
    /// The default profile's, for a container that keeps these capabilities.
    ///
    /// # Errors
    ///
    /// As [`Filter::compile`].
    pub fn of_default(capabilities: CapabilitySet) -> anyhow::Result<Option<Filter>> {
        let profile = Profile::parse(DEFAULT, capabilities, Foreign::Skip);
        Filter::compile(&profile.context("the default profile")?)
    }
}

/// A person's profile.
fn read(file: &Path, capabilities: CapabilitySet) -> anyhow::Result<Option<Filter>> {
    let shown = || format!("--seccomp {}", file.display());
    let mut text = String::new();
    // O_NONBLOCK: a fifo would wait for its writer.
    let from = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(file);
    let from = from.with_context(shown)?;
    let is_file = from.metadata().with_context(shown)?.is_file();
    ensure!(is_file, "{}: it is no regular file", shown());
    from.take(LONGEST + 1).read_to_string(&mut text).with_context(shown)?;
    ensure!(text.len() as u64 <= LONGEST, "{}: it is longer than {LONGEST} bytes", shown());
    let profile = Profile::parse(&text, capabilities, Foreign::Refuse).with_context(shown)?;
    let filter = Filter::compile(&profile).with_context(shown)?;
    filter.as_ref().map_or(Ok(()), try_to_execute).with_context(shown)?;
    Ok(filter)
}
// ANCHOR_END: options

// ANCHOR: try
/// Whether a process can still become its command under the filter. A child tries: what happens
/// between the filter and the command's first instruction is more than one call. There is no such
/// command, so the right answer is ENOENT.
fn try_to_execute(filter: &Filter) -> anyhow::Result<()> {
    let child = spawn(Namespaces::NONE, || {
        context::set_form(Form::Off); // it is no child that the log is about
        filter.install()?;
        let nothing = Program::command(&["/proc/self/fd/nothing".into()]);
        Ok(Next::from(nothing))
    })?;
    match child.wait_as_usual() {
        Err(error) => match error.downcast_ref::<Failure>() {
            Some(failure) if failure.fault == Fault::NotFound => Ok(()),
            _ => bail!("under this filter no command starts: execve or write is refused"),
        },
        Ok(Exit::Signal(libc::SIGSYS)) => {
            bail!("under this filter no command starts: it kills the process before (SIGSYS)")
        }
        Ok(exit) => bail!("under this filter no command starts: {exit}"),
    }
}
// ANCHOR_END: try
