use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    tests::{answers, call, compiled},
    *,
};

const CALLS: [(&str, i64); 3] =
    [("dup", libc::SYS_dup), ("read", libc::SYS_read), ("socket", libc::SYS_socket)];
const ACTIONS: [(&str, SeccompAction); 6] = [
    ("KILL_PROCESS", SeccompAction::KillProcess),
    ("KILL_THREAD", SeccompAction::KillThread),
    ("TRAP", SeccompAction::Trap),
    ("ERRNO", SeccompAction::Errno(libc::EPERM as u32)),
    ("LOG", SeccompAction::Log),
    ("ALLOW", SeccompAction::Allow),
];

/// An item, before it is JSON: calls, an action, and conditions on the first argument and on the
/// second one.
#[derive(Clone, Debug)]
struct Rule {
    calls: Vec<usize>,
    action: usize,
    conditions: Vec<(usize, &'static str, u64, u64)>,
}

impl Rule {
    fn json(&self) -> String {
        let names: Vec<_> = self.calls.iter().map(|one| format!("{:?}", CALLS[*one].0)).collect();
        let condition = |(index, op, value, second): &(usize, &str, u64, u64)| {
            format!(
                r#"{{"index":{index},"op":"SCMP_CMP_{op}","value":{value},"valueTwo":{second}}}"#
            )
        };
        let conditions: Vec<_> = self.conditions.iter().map(condition).collect();
        format!(
            r#"{{"names":[{}],"action":"SCMP_ACT_{}","args":[{}]}}"#,
            names.join(","),
            ACTIONS[self.action].0,
            conditions.join(",")
        )
    }

    fn is_about(&self, call: i64, arguments: [u64; 2]) -> bool {
        let holds = |(index, op, value, second): &(usize, &str, u64, u64)| {
            let argument = arguments[*index];
            match *op {
                "NE" => argument != *value,
                "LT" => argument < *value,
                "LE" => argument <= *value,
                "EQ" => argument == *value,
                "GE" => argument >= *value,
                "GT" => argument > *value,
                // seccomp_rule_add(3): "the masked argument is equal to the masked datum".
                _ => argument & value == second & value,
            }
        };
        self.calls.iter().any(|one| CALLS[*one].1 == call) && self.conditions.iter().all(holds)
    }
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, (1_u64 << 32) - 2..(1 << 32) + 3, 0..1_u64 << 53]
}

fn condition(index: usize) -> impl Strategy<Value = (usize, &'static str, u64, u64)> {
    let operators = vec!["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
    (Just(index), select(operators), number(), number())
}

prop_compose! {
    fn rule()(
        calls in vec(0..CALLS.len(), 1..3),
        action in 0..ACTIONS.len(),
        first in proptest::option::of(condition(0)),
        second in proptest::option::of(condition(1)),
    ) -> Rule {
        Rule { calls, action, conditions: first.into_iter().chain(second).collect() }
    }
}

proptest! {
    /// The most severe of the items that are about a call; if none is, the default.
    #[test]
    fn a_call_gets_the_answer_of_the_profile(
        rules in vec(rule(), 0..5),
        default in 0..ACTIONS.len(),
        calls in vec((0..CALLS.len(), number(), number()), 8),
    ) {
        let items: Vec<String> = rules.iter().map(Rule::json).collect();
        let default_action = format!("SCMP_ACT_{}", ACTIONS[default].0);
        let text = format!(
            r#"{{"defaultAction":"{default_action}","syscalls":[{}]}}"#,
            items.join(",")
        );
        let filter = compiled(&text);
        for (number, first, second) in calls {
            let number = CALLS[number].1;
            let about = rules.iter().filter(|rule| rule.is_about(number, [first, second]));
            let most_severe = about.map(|rule| rule.action).min();
            let expected = ACTIONS[most_severe.unwrap_or(default)].1.clone();
            let mut call = call(number, first);
            call.arguments[1] = second;
            let found = filter.as_ref().map(|filter| answers(filter, call));
            let found = found.unwrap_or(SeccompAction::Allow);
            prop_assert_eq!(found, expected, "{} ({}, {}) of {}", number, first, second, text);
        }
    }
}
