use proptest::{collection::vec, prelude::*};

use super::started;

/// The number is the one of field 22, counted from the end of the name.
fn a_start_time_is_field_22(stat: &str) {
    let Some(start) = started(stat) else { return };
    let end = stat.rfind(") ").expect("a name has an end") + 2;
    let fields: Vec<&str> = stat[end..].split(' ').collect();
    assert!(
        !fields[0].starts_with(['Z', 'X']) || fields[0].len() > 1,
        "it has ended: {stat:?}"
    );
    assert_eq!(fields[19].trim_start_matches('+').parse(), Ok(start), "{stat:?}");
}

proptest! {
    #[test]
    fn any_text(stat in "([0-9]{1,3} )?[(]?[ a)(]{0,9}[)] [RSZX ]{0,3}([+-]?[0-9]{0,3} ){0,30}") {
        a_start_time_is_field_22(&stat);
    }

    /// As the kernel writes it (`do_task_stat`), with any bytes as the name.
    #[test]
    fn a_process_with_any_name(
        name in vec(any::<u8>(), 0..16),
        state in "[RSDZTtXI]",
        before in vec(any::<i64>(), 18),
        start: u64,
        after in vec(any::<i64>(), 0..30),
    ) {
        let joined = |numbers: &[i64]| -> String {
            numbers.iter().map(|number| format!(" {number}")).collect()
        };
        let rest = format!(") {state}{} {start}{}\n", joined(&before), joined(&after));
        let stat = [b"4242 (", &name[..], rest.as_bytes()].concat();
        let has_ended = state == "Z" || state == "X";
        // Without anything after it the last field would end with the line.
        let expected = Some(start).filter(|_| !has_ended && !after.is_empty());
        let found = started(&String::from_utf8_lossy(&stat));
        prop_assert_eq!(found.filter(|_| !after.is_empty()), expected);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_stat() {
    bolero::check!().for_each(|bytes: &[u8]| {
        a_start_time_is_field_22(&String::from_utf8_lossy(bytes));
    });
}
