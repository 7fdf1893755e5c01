//! Chapter 1: variables that are the runtime's own, typed by hand.

use anyhow::Context;

use crate::checks::{Check, holds};
use crate::told;

pub(super) const CHECKS: &[Check] = &[Check::new(
    1,
    "the runtime's own variables, typed by hand, gain nothing and harm nothing",
    "anybody can set an environment variable before your program starts. Check that a number in it \
     really is your descriptor, and let no variable switch a protection off",
    |bench| {
        // Descriptor 9 is a folder of the host's, which the command must not have.
        let caller = ["sh", "-c", "exec 9</; exec \"$@\"", "sh"];
        for (name, value) in [
            ("LAB_LOG", "x parent 0 plain"),
            ("LAB_LOG", "x parent 99999999999999999999999 plain"),
            ("LAB_LOG", "=\u{1b}[31m"),
            ("LAB_LOG", "json"),
            ("LAB_LOG", "x parent 0 json 1:2:x"),
            ("LAB_DESCRIPTORS", "errors=9"),
            ("LAB_DESCRIPTORS", "errors=9 errors=9 ready=9 message=9"),
            ("LAB_DESCRIPTORS", "errors=0 message=1 ready=2 errors=-1 errors=77777 =9 9="),
        ] {
            let run = bench.script("ls /proc/self/fd; exit 3").env(name, value).under(&caller);
            // ls has the folder that it lists open as its fourth.
            run.finish()?
                .must_end_with(3)?
                .must_write("0\n1\n2\n3\n")
                .with_context(|| format!("{name}={value}", value = told(&value)))?;
        }
        holds()
    },
)];
