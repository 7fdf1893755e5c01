//! Each wall on one call: the example `confined` runs the example `call`, which says what the
//! kernel answers.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::{TempDir, tempdir};

/// Cargo builds a package's examples before its tests, beside the folder that this test is in.
fn example(name: &str) -> PathBuf {
    let own = env::current_exe().expect("this test has a file");
    let folder = own.parent().and_then(Path::parent).expect("target/PROFILE/deps");
    folder.join("examples").join(name)
}

/// `confined` with these words. Where there are no user namespaces, nothing can be tried.
fn confined(words: &[&str]) -> Option<Output> {
    let run = |words: &[&str]| {
        let mut command = Command::new(example("confined"));
        command.arg("-q").args(words).output().expect("the example is built")
    };
    let able = run(&["--seccomp", "unconfined", "--cap-add", "ALL", "true"]);
    if !able.status.success() {
        eprintln!("skipped: {}", String::from_utf8_lossy(&able.stderr));
        return None;
    }
    Some(run(words))
}

/// What the kernel answers to a call, with these options.
#[track_caller]
fn assert_answer(options: &str, call: &str, expected: &str) {
    let call_program = example("call");
    let mut words: Vec<&str> = options.split_whitespace().collect();
    words.push(call_program.to_str().expect("a path in UTF-8"));
    words.extend(call.split_whitespace());
    if let Some(output) = confined(&words) {
        let said = String::from_utf8_lossy(&output.stdout);
        let answer = said.trim().rsplit(' ').next().unwrap_or_default();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(answer, expected, "{options} {call}: {:?}: {errors}", output.status.code());
    }
}

/// The last line of standard error, with status 125 and nothing on standard output.
#[track_caller]
fn assert_refused(words: &[&str], part: &str) {
    if let Some(output) = confined(words) {
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{words:?}: {error}");
        assert!(output.stdout.is_empty() && error.lines().count() == 1, "{words:?}: {error}");
        assert!(error.contains(part), "{words:?}: {error}");
    }
}

/// A file of this name in a folder of its own.
struct Profile {
    _folder: TempDir,
    path: String,
}

fn profile(name: &str, text: &str) -> Profile {
    let folder = tempdir().expect("a folder");
    let file = folder.path().join(name);
    fs::write(&file, text).expect("a file in it");
    Profile {
        path: file.to_str().expect("a path in UTF-8").to_owned(),
        _folder: folder,
    }
}

const UNCONFINED: &str = "--seccomp unconfined";

#[test]
fn a_filter_refuses_what_a_capability_does_not_allow() {
    let with_admin = "--cap-add SYS_ADMIN";
    assert_answer("", "unshare 0x10000000", "EPERM");
    assert_answer(UNCONFINED, "unshare 0x10000000", "0");
    assert_answer(with_admin, "unshare 0x10000000", "0");
    // A null in place of the folder: the kernel answers this after its look at the capability.
    assert_answer("", "mount 0 0 0 0 0", "EPERM");
    assert_answer(with_admin, "mount 0 0 0 0 0", "EFAULT");
    assert_answer("", "keyctl 0", "EPERM");
    assert_answer("--cap-add ALL", "keyctl 0", "EPERM");
    assert_answer("", "io_uring_setup 1 0", "EPERM");
    assert_answer("", "clone 0x10000000", "EPERM");
    assert_answer("", "clone3 0 0", "ENOSYS");
    assert_answer(with_admin, "clone3 0 0", "EINVAL");
    assert_answer("", "chroot 0", "EFAULT");
    assert_answer("--cap-drop SYS_CHROOT", "chroot 0", "EPERM");
}

#[test]
fn arguments_count_with_all_their_bits() {
    assert_answer("", "socket 1 1 0", "3");
    assert_answer("", "socket 40 1 0", "EPERM");
    assert_answer("", "socket 38 5 0", "EPERM");
    // The kernel takes the lower half only: this would be AF_VSOCK and AF_ALG.
    assert_answer("", "socket 0x100000028 1 0", "EPERM");
    assert_answer("", "socket 0x100000026 5 0", "EPERM");
    assert_answer("", "personality 0xffffffff", "0");
    assert_answer("", "personality 0x0040000", "EPERM"); // ADDR_NO_RANDOMIZE
}

#[test]
fn what_the_profile_cannot_know_does_not_exist() {
    assert_answer("", "600", "ENOSYS");
    assert_answer("--cap-add ALL", "600", "ENOSYS");
    assert_answer("", "listns 0", "ENOSYS");
    assert_answer("", "400", "EPERM"); // no call has this number, and none will
    if cfg!(target_arch = "x86_64") {
        assert_answer("", "0x40000027", "ENOSYS"); // getpid of x32
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn another_architecture_ends_the_process() {
    let call = example("call");
    let words = [call.to_str().expect("a path in UTF-8"), "int80"];
    let Some(output) = confined(&words) else {
        return;
    };
    assert_eq!(output.status.code(), Some(128 + libc::SIGSYS), "{output:?}");
    let file = profile(
        "denies.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["chroot"],"action":"SCMP_ACT_ERRNO","errnoRet":7}]}"#,
    );
    let Some(output) = confined(&[&["--seccomp", &file.path][..], &words].concat()) else {
        return;
    };
    assert_eq!(output.status.code(), Some(128 + libc::SIGSYS), "{output:?}");
    let denies = format!("--seccomp {}", file.path);
    assert_answer(&denies, "chroot 0", "E2BIG");
    assert_answer(&denies, "0x400000a1", "ENOSYS"); // chroot of x32
    assert_answer(&denies, "getuid", "0");
}

#[test]
fn capabilities_are_what_was_asked_for_and_not_more() {
    let sets = |options: &[&str]| {
        let words = [options, &["grep", "-E", "Cap|NoNew|Seccomp:", "/proc/self/status"]].concat();
        confined(&words).map(|output| {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            said.split_whitespace()
                .filter(|word| !word.ends_with(':'))
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    let expected = |set: &str, user: &str, seccomp: u8| {
        let none = "0".repeat(16);
        format!("{none} {user} {user} {set} {none} 1 {seccomp}")
    };
    for (options, set, seccomp) in [
        (&[][..], "00000000a80425fb", 2),
        (&["--cap-drop", "ALL"], "0000000000000000", 2),
        (&["--cap-drop", "ALL", "--cap-add", "checkpoint_restore"], "0000010000000000", 2),
        (&["--cap-add", "ALL", "--seccomp", "unconfined"], "000001ffffffffff", 0),
    ] {
        if let Some(found) = sets(options) {
            assert_eq!(found, expected(set, set, seccomp), "{options:?}");
        }
    }
}

#[test]
fn what_runs_before_the_execve_has_no_more() {
    let Some(output) = confined(&["--cap-drop", "ALL", "--cap-add", "CHOWN", "--show"]) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert!(said.contains(&format!("{set}:\t0000000000000001")), "{set}: {said}");
    }
}

#[test]
fn a_user_that_is_not_root_has_none() {
    let words = ["--more-ids", "--user", "7:7", "--cap-add", "NET_ADMIN"];
    let status = ["grep", "-hE", "^Cap(Prm|Eff|Amb|Bnd)", "/proc/self/status"];
    let Some(output) = confined(&[&words[..], &status].concat()) else {
        return;
    };
    if !output.status.success() {
        return eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let sets: Vec<&str> = said.split_whitespace().filter(|word| !word.ends_with(':')).collect();
    let none = "0000000000000000";
    assert_eq!(sets, [none, none, "00000000a80435fb", none]);
}

#[test]
fn each_action_is_carried_out() {
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":[],"syscalls":[
        {"names":["chroot","getuid"],"action":"SCMP_ACT_LOG"},
        {"names":["chroot"],"action":"SCMP_ACT_ERRNO","errnoRet":11},
        {"names":["sethostname"],"action":"SCMP_ACT_TRAP"},
        {"names":["setdomainname"],"action":"SCMP_ACT_KILL_PROCESS"},
        {"names":["acct"],"action":"SCMP_ACT_KILL"},
        {"names":["dup"],"action":"SCMP_ACT_ERRNO","errnoRet":12,
         "args":[{"index":0,"op":"SCMP_CMP_GE","value":5},{"index":0,"op":"SCMP_CMP_LT","value":7}]}
    ]}"#;
    let file = profile("actions.json", text);
    let options = format!("--seccomp {}", file.path);
    assert_answer(&options, "chroot 0", "EAGAIN"); // the more severe one
    assert_answer(&options, "getuid", "0");
    for (descriptor, answer) in [("4", "EBADF"), ("5", "ENOMEM"), ("6", "ENOMEM"), ("7", "EBADF")] {
        assert_answer(&options, &format!("dup {descriptor}"), answer);
    }
    for killed in ["sethostname", "setdomainname", "acct"] {
        let call = example("call");
        let words: Vec<&str> = options.split(' ').chain([call.to_str().unwrap(), killed]).collect();
        if let Some(output) = confined(&words) {
            assert_eq!(output.status.code(), Some(128 + libc::SIGSYS), "{killed}: {output:?}");
        }
    }
}

#[test]
fn a_profile_under_which_nothing_starts_is_refused() {
    let refuses = |name: &str, call: &str, action: &str| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                {{"names":["{call}"],"action":"{action}"}}]}}"#
        );
        let file = profile(name, &text);
        assert_refused(&["--seccomp", &file.path, "true"], "no command starts");
    };
    refuses("execve-errno.json", "execve", "SCMP_ACT_ERRNO");
    refuses("execve-kill.json", "execve", "SCMP_ACT_KILL_PROCESS");
    refuses("execve-trap.json", "execve", "SCMP_ACT_TRAP");
    refuses("write.json", "write", "SCMP_ACT_ERRNO");
    let all = profile("all.json", r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#);
    assert_refused(&["--seccomp", &all.path, "true"], "no command starts");
    let all = profile("kill.json", r#"{"defaultAction":"SCMP_ACT_KILL_PROCESS"}"#);
    assert_refused(&["--seccomp", &all.path, "true"], "no command starts");
    let log = profile("log.json", r#"{"defaultAction":"SCMP_ACT_LOG"}"#);
    assert_answer(&format!("--seccomp {}", log.path), "getuid", "0");
}

#[test]
fn bad_input_is_one_line() {
    assert_refused(&["--cap-add", "FLY", "true"], r#"--cap-add "FLY": there is no such"#);
    assert_refused(&["--cap-drop", "FLY", "true"], r#"--cap-drop "FLY": there is no such"#);
    assert_refused(&["--seccomp", "/nowhere", "true"], "--seccomp /nowhere: No such file");
    assert_refused(&["--seccomp", "/", "true"], "--seccomp /: it is no regular file");
    assert_refused(&["--seccomp", "/dev/zero", "true"], "it is no regular file");
    let file = profile("text.json", "defaultAction: allow\n");
    assert_refused(&["--seccomp", &file.path, "true"], "text.json: it is not JSON");
    let file = profile(
        "call.json",
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["read"],"action":"SCMP_ACT_LOG"},{"names":["fly"],"action":"SCMP_ACT_LOG"}]}"#,
    );
    assert_refused(
        &["--seccomp", &file.path, "true"],
        r#"call.json: syscalls[1]: there is no system"#,
    );
}

#[test]
fn limits_hold_for_the_command_only() {
    let Some(output) = confined(&[
        "--ulimit",
        "nofile=20:30",
        "--ulimit",
        "core=0",
        "--oom-score-adj",
        "600",
        "sh",
        "-c",
        "ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj",
    ]) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("20\n30\n0\n"), "{said} {errors}");
    let Some(output) = confined(&["--oom-score-adj", "600", "cat", "/proc/self/oom_score_adj"])
    else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "600\n", "{output:?}");
    let above = ["--ulimit", "nofile=999999999999", "true"];
    assert_refused(&above, "setrlimit nofile=999999999999:999999999999: ");
}
