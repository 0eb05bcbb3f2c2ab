//! The tests of the order that a backlog declares.

use std::time::Duration;

use tollgate_core::Timestamp;

use crate::{
    formula::Inputs,
    policy::{Backlog, Expectation, Given},
    rank,
    source_map::{Place, Report},
};

/// Some noon; only ages count, and at noon no zone changes its clocks.
const REFERENCE: Timestamp = Timestamp::from_millis(1_780_315_200_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs them; one that fails is reported with the order as it is.
pub(super) fn run(backlog: &Backlog, place: &Place<'_>, report: &mut Report) {
    for (position, expectation) in backlog.expectations.iter().enumerate() {
        run_one(backlog, expectation, &place.index(position), report);
    }
}

fn run_one(backlog: &Backlog, expectation: &Expectation, place: &Place<'_>, report: &mut Report) {
    let mut ranked = Vec::new();
    for (position, given) in expectation.given.iter().enumerate() {
        match rank_of(backlog, given) {
            Ok(rank) => ranked.push((rank, given.table.key.as_str())),
            Err(error) => {
                let message = format!("`{}` has no place: {error}", given.table.key);
                return report.error(&place.key("given").index(position), message, None);
            }
        }
    }
    ranked.sort_by(|a, b| a.0.key.cmp(&b.0.key));
    let found: Vec<_> = ranked.iter().map(|(_, key)| *key).collect();
    if found != expectation.order {
        let shown = ranked.iter().map(|(rank, key)| match rank.score_thousandths {
            Some(score) => format!("{key} ({})", score as f64 / 1000.0),
            None => (*key).to_owned(),
        });
        let message = format!(
            "expected {}; the order is {}",
            expectation.order.join(", "),
            shown.collect::<Vec<_>>().join(", ")
        );
        report.error(&place.key("order"), message, None);
    }
}

fn rank_of(backlog: &Backlog, given: &Given) -> Result<crate::Rank, crate::formula::EvalError> {
    let age = DAY.saturating_mul(given.table.age_days);
    let age_millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let inputs = Inputs {
        key: &given.table.key,
        kind: &given.table.kind,
        title: &given.table.title,
        labels: &given.table.labels,
        author: &given.table.author,
        tracker: "",
        backlog: &backlog.name,
        created: Timestamp::from_millis(REFERENCE.as_millis().saturating_sub(age_millis)),
        age_days: i64::from(given.table.age_days),
        fields: &given.fields,
    };
    rank::rank(backlog, &inputs)
}
