use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use ch05_user_idmap::User;
use proptest::{collection::vec, option, prelude::*, sample};

use super::*;

fn string() -> impl Strategy<Value = OsString> {
    vec(1..=u8::MAX, 0..12).prop_map(OsString::from_vec)
}

fn kind() -> impl Strategy<Value = Kind> {
    sample::select(Kind::ALL.to_vec())
}

prop_compose! {
    fn process()(
        argv in vec(string(), 0..4),
        env in vec((string(), string()), 0..4),
        user in option::of((0..u32::MAX, 0..u32::MAX)),
    ) -> Process {
        Process { argv, env, user: user.map(|(uid, gid)| User { uid, gid }) }
    }
}

prop_compose! {
    fn bootstrap()(
        (pid, start, inode) in (1..=i32::MAX, any::<u64>(), any::<u64>()),
        joined in vec((kind(), string()), 0..5),
        new in vec(kind(), 0..5),
        (at_the_target, one_by_one) in any::<(bool, bool)>(),
        terminal in sample::select(vec![Lending::Cut, Lending::Background, Lending::Lent]),
        workdir in option::of(string()),
        process in process(),
    ) -> Bootstrap {
        Bootstrap {
            target: Identity { pid: Pid::from_raw(pid), start, inode },
            joined: joined.into_iter().map(|(kind, file)| (kind, file.into())).collect(),
            new: new.into_iter().filter(|kind| *kind != Kind::Time).collect(),
            at_the_target,
            one_by_one,
            terminal,
            workdir: workdir.map(PathBuf::from),
            process,
        }
    }
}

fn framed(rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::write_framed(&mut bytes, MAGIC, rest).unwrap();
    bytes
}

fn written(bootstrap: &Bootstrap) -> Vec<u8> {
    let mut bytes = Vec::new();
    bootstrap.write(&mut bytes).unwrap();
    bytes
}

/// The attributes of a message, each with its head.
fn attributes(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
        let (one, after) = rest.split_at(8 + length);
        found.push(one.to_vec());
        rest = after;
    }
    found
}

/// What is read has the same attributes as what would be written, in another order perhaps.
fn what_is_read_was_all_there(rest: &[u8]) {
    if let Ok(bootstrap) = Bootstrap::read(&framed(rest)[..]) {
        assert!(bootstrap.target.pid.as_raw() > 0);
        let sorted = |rest: &[u8]| {
            let mut all = attributes(rest);
            all.sort();
            all
        };
        assert_eq!(sorted(&written(&bootstrap)[21..]), sorted(rest));
    }
}

proptest! {
    #[test]
    fn any_data_arrives_in_any_order(bootstrap in bootstrap(), turn in 0..9_usize) {
        let bytes = written(&bootstrap);
        prop_assert_eq!(Bootstrap::read(&bytes[..]).unwrap(), bootstrap.clone());
        let mut all = attributes(&bytes[21..]);
        let length = all.len();
        all.rotate_left(turn % length);
        prop_assert_eq!(Bootstrap::read(&framed(&all.concat())[..]).unwrap(), bootstrap);
        // One of them twice, or none of it.
        let [one, needed] = [all[turn % length].clone(), attributes(&bytes[21..])[0].clone()];
        let twice = [&all.concat()[..], &one].concat();
        prop_assert!(Bootstrap::read(&framed(&twice)[..]).is_err());
        all.retain(|one| *one != needed);
        prop_assert!(Bootstrap::read(&framed(&all.concat())[..]).is_err());
    }

    #[test]
    fn data_that_nobody_writes(
        bootstrap in bootstrap(),
        place: sample::Index,
        by in 1..=u8::MAX,
        length: sample::Index,
    ) {
        let mut rest = written(&bootstrap).split_off(21);
        let place = place.index(rest.len());
        rest[place] ^= by;
        what_is_read_was_all_there(&rest);
        rest.truncate(length.index(rest.len()));
        what_is_read_was_all_there(&rest);
    }

    #[test]
    fn any_bytes(rest in vec(prop_oneof![0..9_u8, any::<u8>()], 0..80)) {
        what_is_read_was_all_there(&rest);
        prop_assert!(Bootstrap::read(&rest[..]).is_err());
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_bootstrap() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let _ = Bootstrap::read(bytes);
        what_is_read_was_all_there(bytes);
    });
}
