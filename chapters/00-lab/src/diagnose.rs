//! Why did the kernel refuse a namespace, and what is the way out?
//!
//! The kernel says EPERM or ENOSPC; which of its many switches said so has to be found
//! out. A stage that fails and the doctor both use these sentences.

use std::fs;

use anyhow::{Context, ensure};
use nix::{errno::Errno, unistd::geteuid};

use crate::{Kind, Namespaces};

/// The way out after clone(2) or unshare(2) for these namespaces failed with `errno`.
pub fn explain_clone_error(namespaces: Namespaces, errno: Errno) -> String {
    match errno {
        Errno::ENOSPC | Errno::EUSERS => limit(namespaces),
        Errno::EAGAIN => "a limit on processes is used up: see pids.max of the cgroup, \
                          and `ulimit -u`"
            .into(),
        Errno::EPERM if namespaces.contains(Kind::User) => explain_refused_user_namespace(),
        Errno::EPERM if geteuid().is_root() => "uid 0, but without CAP_SYS_ADMIN (a container?): \
             start the container with --privileged, or use the machine itself or a VM"
            .into(),
        Errno::EPERM => "it needs CAP_SYS_ADMIN, which root has".into(),
        Errno::ENOSYS => {
            "it has no pidfds: use Linux 5.10 or newer (gVisor and WSL 1 are not Linux)".into()
        }
        Errno::EINVAL => "this kernel was built without one of them: see /proc/self/ns".into(),
        _ => "see clone(2)".into(),
    }
}

/// Which limit of namespaces(7) is used up: the files under /proc/sys/user.
fn limit(namespaces: Namespaces) -> String {
    let mut files = namespaces.kinds().map(Kind::limit);
    match files.find(|file| read("user", file).as_deref() == Some("0")) {
        Some(file) => {
            format!("user.{file} is 0: `sudo sysctl -w user.{file}=10000` allows them again")
        }
        None => "a limit on namespaces is used up: see /proc/sys/user/max_*_namespaces, and at \
                 most 32 user or PID namespaces nest"
            .into(),
    }
}

/// The way out where user namespaces are refused to this user.
pub fn explain_refused_user_namespace() -> String {
    let is = |folder: &str, file: &str, value: &str| read(folder, file).as_deref() == Some(value);
    if is("user", "max_user_namespaces", "0") {
        return limit(Namespaces::of(Kind::User));
    }
    if is("kernel", "unprivileged_userns_clone", "0") {
        return "user namespaces are switched off for ordinary users: \
                `sudo sysctl -w kernel.unprivileged_userns_clone=1` allows them"
            .into();
    }
    if is("kernel", "apparmor_restrict_unprivileged_userns", "1") {
        return "AppArmor restricts user namespaces (Ubuntu 23.10 and later): `sudo sysctl -w \
                kernel.apparmor_restrict_unprivileged_userns=0` allows them until the next boot"
            .into();
    }
    "a chroot, a uid or gid without a mapping, a security module (SELinux, or one of BPF), or a \
     container's seccomp filter (docker run --security-opt seccomp=unconfined) refuses user \
     namespaces"
        .into()
}

/// Makes sure that /proc shows this process's PID namespace: elsewhere, /proc/PID is
/// another process.
///
/// # Errors
///
/// It is another's, or none is mounted.
pub fn require_own_proc() -> anyhow::Result<()> {
    let own = fs::read_link("/proc/self").context("read the link /proc/self")?;
    ensure!(
        own.to_str() == Some(&std::process::id().to_string()),
        "/proc shows another PID namespace, where this process is {}: mount one of its own \
         (chapter 4)",
        own.display()
    );
    Ok(())
}

fn read(folder: &str, file: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/sys/{folder}/{file}")).ok()?;
    Some(text.trim().to_owned())
}
