//! Does a filter refuse what it is to refuse, and nothing else?

use super::*;

/// The error of a system call that a child makes under the filter.
fn under(
    filter: anyhow::Result<impl FnOnce(&mut Command)>,
    call: libc::c_long,
    arguments: [libc::c_long; 3],
) -> Option<Errno> {
    let mut command = Command::new("true");
    filter.expect("this processor is known")(&mut command);
    let [first, second, third] = arguments;
    // SAFETY: the calls below take numbers; it is one system call: no lock, no allocation.
    unsafe {
        command.pre_exec(move || {
            Errno::result(libc::syscall(call, first, second, third))?;
            Ok(())
        })
    };
    let error = command.status().err()?.raw_os_error();
    error.map(Errno::from_raw)
}

#[test]
fn setns_is_refused_with_more_than_one_flag() {
    let with = |flags: i32| {
        let filter = refuse_several_namespaces(Errno::EXDEV);
        under(filter, libc::SYS_setns, [-1, flags.into(), 0])
    };
    for flags in [0, libc::CLONE_NEWUTS, libc::CLONE_NEWTIME] {
        assert_eq!(with(flags), Some(Errno::EBADF), "{flags:x}");
    }
    for flags in [libc::CLONE_NEWUTS | libc::CLONE_NEWNS, libc::CLONE_NEWUTS | 1] {
        assert_eq!(with(flags), Some(Errno::EXDEV), "{flags:x}");
    }
}

#[test]
fn msgget_is_refused_by_its_key_and_flag() {
    let excl: libc::c_long = (libc::IPC_CREAT | libc::IPC_EXCL).into();
    let look = |key| {
        let filter = refuse_to_look_for_queues(Errno::EXDEV);
        under(filter, libc::SYS_msgget, [key, 0, 0])
    };
    let make = |key, flags| {
        let filter = refuse_to_make_queue(7, Errno::EXDEV);
        under(filter, libc::SYS_msgget, [key, flags, 0])
    };
    assert_eq!(look(7), Some(Errno::EXDEV));
    assert_eq!(make(7, excl), Some(Errno::EXDEV));
    assert_eq!(make(0x7061_0001, 0), Some(Errno::ENOENT));
}

#[test]
fn only_one_seal_is_unknown() {
    let seal = |seal: i32| {
        let arguments = [-1, libc::F_ADD_SEALS.into(), seal.into()];
        under(know_no_seal_exec(), libc::SYS_fcntl, arguments)
    };
    assert_eq!(seal(libc::F_SEAL_WRITE), Some(Errno::EBADF));
    assert_eq!(seal(libc::F_SEAL_WRITE | libc::F_SEAL_EXEC), Some(Errno::EINVAL));
}
