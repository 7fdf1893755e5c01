use std::thread;

use nix::{sys::prctl, unistd::gettid};

use super::*;

#[test]
fn a_process_has_a_start_time_whatever_its_name_is() {
    let before = start_time(gettid().as_raw()).unwrap();
    for name in [c"\xff", c"a) Z 1 1", c"\xc3) X", c")", c"two\nlines"] {
        let found = thread::spawn(move || {
            prctl::set_name(name).unwrap();
            start_time(gettid().as_raw())
        });
        assert!(found.join().unwrap().is_some_and(|start| start >= before), "{name:?}");
    }
}
