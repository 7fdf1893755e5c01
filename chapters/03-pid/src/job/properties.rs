use proptest::{collection::vec, prelude::*};

use super::*;

/// What the text says, by words.
fn a_signal_is_dropped_as_the_status_says(status: &str, signal: i32) {
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.map_or("", |line| line[name.len()..].trim())
    };
    let has = |name: &str| {
        let digits = value(name).trim_start_matches('+');
        let is_mask = !digits.is_empty() && digits.trim_start_matches('0').len() <= 16;
        let place = (signal as usize - 1) / 4; // of its digit, from the end
        let digit = digits.chars().rev().nth(place).and_then(|digit| digit.to_digit(16));
        let is_hex = digits.chars().all(|digit| digit.is_ascii_hexdigit());
        is_mask && is_hex && digit.is_some_and(|digit| digit >> ((signal - 1) % 4) & 1 == 1)
    };
    let is_init = value("NSpid:").rsplit('\t').next() == Some("1");
    let listens = ["SigCgt:", "SigBlk:", "SigIgn:"].into_iter().any(has);
    assert_eq!(drops(status, signal), is_init && !listens, "{signal} and {status:?}");
}

proptest! {
    #[test]
    fn any_status(
        text in "((SigCgt|SigBlk|SigIgn|NSpid|Name)?:?[\t ]?[0-9a-f+1\t]{0,17}\n?)*",
        signal in 1..=64,
    ) {
        a_signal_is_dropped_as_the_status_says(&text, signal);
    }

    /// As the kernel writes it, whatever the process is called.
    #[test]
    fn the_masks_of_a_process(
        name in vec(any::<u8>().prop_filter("escaped", |byte| *byte != b'\n'), 0..16),
        pids in vec(1..99_u32, 1..3),
        masks: [u64; 3],
        signal in 1..=64,
    ) {
        let pids: String = pids.iter().map(|pid| format!("\t{pid}")).collect();
        let [blocked, ignored, caught] = masks;
        let rest = format!(
            "\nState:\tS (sleeping)\nNSpid:{pids}\nSigBlk:\t{blocked:016x}\n\
             SigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n"
        );
        let status = [b"Name:\t", &name[..], rest.as_bytes()].concat();
        let status = String::from_utf8_lossy(&status);
        a_signal_is_dropped_as_the_status_says(&status, signal);
        let listens = (blocked | ignored | caught) >> (signal - 1) & 1 == 1;
        prop_assert_eq!(drops(&status, signal), pids.ends_with("\t1") && !listens);
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_status() {
    bolero::check!().for_each(|bytes: &[u8]| {
        let signal = i32::from(bytes.first().copied().unwrap_or(0)) % 64 + 1;
        a_signal_is_dropped_as_the_status_says(&String::from_utf8_lossy(bytes), signal);
    });
}
