use proptest::prelude::*;

use super::*;

/// Digits up to the last number before "unlimited".
fn model(text: &str) -> Option<Option<u64>> {
    if text == "unlimited" || text == "-1" {
        return Some(None);
    }
    let number = text.chars().try_fold(0_u128, |number, digit| {
        Some((number * 10 + u128::from(digit.to_digit(10)?)).min(1 << 80))
    });
    let number = number.filter(|number| !text.is_empty() && *number < u128::from(u64::MAX));
    number.map(|number| Some(number as u64))
}

fn a_limit_is_what_it_says(text: &str) {
    let expected = text.split_once('=').and_then(|(name, value)| {
        let index = NAMES.iter().position(|(known, _)| *known == name)?;
        let mut amounts = value.split(':').map(model);
        let soft = amounts.next()??;
        let hard = amounts.next().unwrap_or(Some(soft))?;
        let rises = match (soft, hard) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(soft), Some(hard)) => soft <= hard,
        };
        (rises && amounts.next().is_none()).then_some(Limit { index, soft, hard })
    });
    let read = text.parse::<Limit>().ok();
    assert_eq!(read, expected, "{text:?}");
    if let Some(limit) = read {
        assert_eq!(limit.to_string().parse(), Ok(limit));
    }
}

prop_compose! {
    fn limit()(index in 0..NAMES.len(), one: u64, other: u64) -> Limit {
        let amount = |number| Some(number).filter(|number| *number < u64::MAX / 4 * 3);
        let (soft, hard) = (amount(one.min(other)), amount(one.max(other)));
        Limit { index, soft, hard }
    }
}

proptest! {
    #[test]
    fn any_text_is_a_limit_or_is_refused(
        text in ".*|(core|as|x)=[+ -]?([0-9]{0,21}|unlimited)(:[+ -]?([0-9]{0,21}|unlimited))?",
    ) {
        a_limit_is_what_it_says(&text);
    }

    #[test]
    fn any_limit_comes_back(limit in limit()) {
        a_limit_is_what_it_says(&limit.to_string());
    }
}

#[cfg(fuzzing)]
#[test]
fn fuzz_limit() {
    bolero::check!().for_each(|bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            a_limit_is_what_it_says(text);
            a_limit_is_what_it_says(&format!("core={text}"));
        }
    });
}
