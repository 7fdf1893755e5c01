use std::os::unix::ffi::OsStringExt;

use proptest::{collection::vec, option, prelude::*};

use super::*;

fn string() -> impl Strategy<Value = OsString> {
    vec(1..=u8::MAX, 0..20).prop_map(OsString::from_vec)
}

fn user() -> impl Strategy<Value = User> {
    (0..u32::MAX, 0..u32::MAX).prop_map(|(uid, gid)| User { uid, gid })
}

prop_compose! {
    fn process()(
        argv in vec(string(), 0..6),
        env in vec((string(), string()), 0..6),
        user in option::of(user()),
    ) -> Process {
        Process { argv, env, user }
    }
}

prop_compose! {
    fn message()(
        process in process(),
        hostname in string(),
        rootfs in option::of(string()),
        init_stays: bool,
    ) -> Message {
        Message { process, hostname, rootfs: rootfs.map(PathBuf::from), init_stays }
    }
}

fn written(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.write(&mut bytes).unwrap();
    bytes
}

/// What is read is what would be written so: no two forms have one meaning.
fn a_message_has_one_form(rest: &[u8]) {
    let mut bytes = Vec::new();
    write_framed(&mut bytes, MAGIC, rest).unwrap();
    if let Ok(message) = Message::read(&bytes[..]) {
        assert_eq!(written(&message), bytes);
    }
}

proptest! {
    #[test]
    fn any_message_arrives(message in message()) {
        let bytes = written(&message);
        prop_assert_eq!(Message::read(&bytes[..]).unwrap(), message);
    }

    #[test]
    fn any_change_is_seen(message in message(), place: prop::sample::Index, by in 1..=u8::MAX) {
        let mut bytes = written(&message);
        let place = place.index(bytes.len());
        prop_assert!(Message::read(&bytes[..place]).is_err(), "cut short");
        bytes[place] ^= by;
        prop_assert!(Message::read(&bytes[..]).is_err());
    }

    /// The checksum is right: a field is not what it was.
    #[test]
    fn a_message_that_nobody_writes(
        message in message(),
        place: prop::sample::Index,
        by in 1..=u8::MAX,
        length: prop::sample::Index,
    ) {
        let mut rest = written(&message).split_off(21);
        let place = place.index(rest.len());
        rest[place] ^= by;
        a_message_has_one_form(&rest);
        rest.truncate(length.index(rest.len()));
        a_message_has_one_form(&rest);
    }

    #[test]
    fn any_bytes(bytes in vec(prop_oneof![0..3_u8, any::<u8>()], 0..80)) {
        a_message_has_one_form(&bytes);
        prop_assert!(Message::read(&bytes[..]).is_err());
    }
}

/// Reads bytes, and counts for how many there was room.
struct Counter<'a>(&'a [u8], &'a mut usize);

impl Read for Counter<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        *self.1 = (*self.1).max(to.len());
        self.0.read(to)
    }
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    for length in [1 << 30, 1 << 62, u64::MAX] {
        let bytes = [MAGIC, &length.to_le_bytes()[..], &[0; 8], b"few bytes"].concat();
        let mut room = 0;
        let error = Message::read(Counter(&bytes, &mut room)).unwrap_err();
        assert!(error.to_string().contains("cut short"), "{error}");
        assert!(room < 1 << 16, "there was room for {room} bytes");
    }
    // A list of 2^32 - 1 words, and each of them as long: it ends with the bytes.
    for begin in [[0xff; 4], [0; 4]] {
        a_message_has_one_form(&[begin, [0xff; 4], [0xff; 4]].concat());
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_message() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let _ = Message::read(bytes);
        a_message_has_one_form(bytes);
    });
}
