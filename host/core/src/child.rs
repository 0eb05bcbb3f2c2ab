//! Children: entries that a run opened, as the run that waits for them is told of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Microcents, RunId,
    entry::{EntryName, EntryState},
    run::RunState,
};

/// How many are named in a sentence.
const NAMED_MAX: usize = 5;

/// How an entry stands that a run opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChildStatus {
    /// Which entry. Its key is the `reference` of the delivered effect.
    #[serde(flatten)]
    pub name: EntryName,
    /// One line.
    pub title: String,
    /// Its life.
    pub state: EntryState,
    /// The newest run that worked on it; none when none has.
    pub run: Option<RunId>,
    /// How that run stands.
    pub run_state: Option<RunState>,
    /// Why that run ended as it did, or what it waits for.
    pub reason: Option<String>,
    /// What its runs have cost, with what they opened.
    pub cost: Microcents,
}

/// What a call is told whose children are over, in the order in which they were opened.
pub fn told(children: &[ChildStatus]) -> Value {
    let cost: Microcents = children.iter().map(|child| child.cost).sum();
    json!({ "children": children, "cost": cost })
}

/// How many are not over yet, and which; none when all are.
pub fn not_over(children: &[ChildStatus]) -> Option<String> {
    let open: Vec<_> =
        children.iter().filter(|child| !child.state.is_over()).map(|child| child.name.key.as_str()).collect();
    if open.is_empty() {
        return None;
    }
    let names = match open.as_slice() {
        [only] => (*only).to_owned(),
        [first @ .., last] if open.len() <= NAMED_MAX => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", open[..NAMED_MAX].join(", "), open.len() - NAMED_MAX),
    };
    let (count, verb) = (open.len(), if open.len() == 1 { "is" } else { "are" });
    Some(format!("{count} of {} {verb} not over yet, {names}", children.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(number: usize, state: EntryState) -> ChildStatus {
        ChildStatus {
            name: EntryName { tracker: "internal".into(), key: format!("int-{number}") },
            title: "Part".into(),
            state,
            run: None,
            run_state: None,
            reason: None,
            cost: Microcents(3),
        }
    }

    #[test]
    fn those_that_are_not_over_are_counted_and_named() {
        let of = |states: &[EntryState]| {
            let children: Vec<_> = states.iter().enumerate().map(|(at, state)| child(at, *state)).collect();
            not_over(&children)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[EntryState::Done, EntryState::Failed, EntryState::Gone, EntryState::Blocked]), None);
        let told = of(&[EntryState::Done, EntryState::Escalated]);
        assert_eq!(told.as_deref(), Some("1 of 2 is not over yet, int-1"));
        let told = of(&[EntryState::Held, EntryState::Busy, EntryState::Done]);
        assert_eq!(told.as_deref(), Some("2 of 3 are not over yet, int-0 and int-1"));
        let told = of(&[EntryState::Ready; 7]);
        let words = "7 of 7 are not over yet, int-0, int-1, int-2, int-3, int-4 and 2 more";
        assert_eq!(told.as_deref(), Some(words));
    }

    #[test]
    fn a_call_is_told_what_they_cost_together() {
        let told = told(&[child(0, EntryState::Done), child(1, EntryState::Failed)]);
        assert_eq!((&told["cost"], &told["children"][1]["key"]), (&json!(6), &json!("int-1")));
        assert_eq!(told["children"][1]["state"], "failed");
    }
}
