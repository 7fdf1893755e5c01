use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_line(line in ".*|[\\[\\]{}\":,0-9a-z\\\\ .-]*") {
        // A record that has what a record needs, or an error.
        let _ = parse(&line);
    }

    #[test]
    fn any_record(role in "[a-z]{1,9}", pid: u32, message in "[^\0-\u{1f}\"\\\\]*", uid in 0..99) {
        let line = format!(
            r#"{{"role":"{role}","pid":{pid},"message":"{message}","now":{{"uid":{uid}}}}}"#
        );
        let record = parse(&line).unwrap();
        prop_assert_eq!((record.role, record.pid, record.message), (role, pid, message));
        prop_assert_eq!(record.now["uid"].get().copied(), Some(f64::from(uid)));
    }

    #[test]
    fn a_pid_is_a_whole_number(pid in any::<f64>().prop_filter("finite", |pid| pid.is_finite())) {
        let line = format!(r#"{{"role":"child","pid":{pid},"message":"","now":{{}}}}"#);
        let is_pid = pid.fract() == 0.0 && (0.0..4294967296.0).contains(&pid);
        prop_assert_eq!(parse(&line).is_ok(), is_pid, "{}", line);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_records() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let _ = parse(&String::from_utf8_lossy(bytes));
    });
}
