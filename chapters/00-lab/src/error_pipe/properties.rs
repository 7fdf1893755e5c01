use proptest::{collection::vec, prelude::*};

use super::*;

fn after(bytes: &[u8]) -> Start {
    let (pipe, _) = pipe().unwrap();
    StartReport {
        pipe,
        said: bytes.to_vec(),
    }
    .start()
}

/// One of the five that the table has.
fn a_start_is_what_was_said(bytes: &[u8]) {
    let rest = bytes.strip_prefix(b"x").unwrap_or(bytes);
    match after(bytes) {
        Start::Silent => assert!(bytes.is_empty()),
        Start::Executes => assert_eq!(bytes, b"x"),
        Start::Failed(failure) => {
            assert!(rest.len() >= 2 && rest[0] == b'f');
            assert_eq!(failure.message, String::from_utf8_lossy(&rest[2..]));
        }
        Start::Ends => assert!(!rest.is_empty() && (rest[0] != b'f' || rest.len() == 1)),
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(prop_oneof![Just(b'x'), Just(b'f'), Just(b'e'), any::<u8>()], 0..9)) {
        a_start_is_what_was_said(&bytes);
    }

    #[test]
    fn any_failure_arrives(
        message in ".{0,80}",
        fault in prop::sample::select(vec![
            Fault::Runtime, Fault::NotExecutable, Fault::NotFound, Fault::Usage,
        ]),
        executes: bool,
    ) {
        let failure = Failure { fault, message };
        let (mut report, mut pipe) = error_pipe().unwrap();
        if executes {
            pipe.executing().unwrap();
        }
        pipe.fail(&failure);
        drop(pipe);
        prop_assert!(!report.listen().unwrap());
        prop_assert_eq!(report.start(), Start::Failed(failure));
    }

    #[test]
    fn a_child_that_says_much_takes_little_memory(pieces in 0..30_usize) {
        let (mut report, mut pipe) = error_pipe().unwrap();
        for _ in 0..pieces {
            pipe.0.write_all(&[b'f'; 1600]).unwrap();
        }
        drop(pipe);
        prop_assert!(!report.listen().unwrap());
        prop_assert!(report.said.len() <= MOST + 4096);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_error_pipe() {
    bolero::check!().for_each(|bytes: &[u8]| a_start_is_what_was_said(bytes));
}
