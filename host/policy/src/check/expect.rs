//! The tests of its policy that a backlog declares.

use std::time::Duration;

use tollgate_core::Timestamp;

use crate::{
    admission::Rank,
    formula::{EvalError, Inputs},
    policy::{Backlog, Expectation, Given},
    rank,
    source_map::{Place, Report},
};

/// Some noon; only ages count, and at noon no zone changes its clocks.
const REFERENCE: Timestamp = Timestamp::from_millis(1_780_315_200_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs them; one that fails is reported with what is so instead, and why.
pub(super) fn run(backlog: &Backlog, place: &Place<'_>, report: &mut Report) {
    for (position, expectation) in backlog.expectations.iter().enumerate() {
        let place = place.index(position);
        let test = Test { backlog, expectation, place: &place };
        test.eligible(report);
        test.pipeline(report);
        test.order(report);
    }
}

struct Test<'a> {
    backlog: &'a Backlog,
    expectation: &'a Expectation,
    place: &'a Place<'a>,
}

impl Test<'_> {
    fn eligible(&self, report: &mut Report) {
        let Some(expected) = self.expectation.eligible else { return };
        let formula = &self.backlog.eligible;
        for (key, inputs) in self.given() {
            let found = match formula.truth(&inputs) {
                Ok(found) if found == expected => continue,
                Ok(true) => format!("`{key}` is eligible: `{}` is true", formula.source()),
                Ok(false) => {
                    let part = formula.first_false_part(&inputs);
                    let because = part.map(|part| format!(", because `{part}` is")).unwrap_or_default();
                    format!("`{key}` is not eligible: `{}` is false{because}", formula.source())
                }
                Err(error) => format!("`{key}` is neither eligible nor not: {error}"),
            };
            report.error(&self.place.key("eligible"), found, None);
        }
    }

    fn pipeline(&self, report: &mut Report) {
        let Some(expected) = &self.expectation.pipeline else { return };
        for (key, inputs) in self.given() {
            let found = match taken(self.backlog, &inputs) {
                Ok(Some(found)) if found == expected => continue,
                Ok(Some(found)) => format!("`{key}` takes the pipeline `{found}`, not `{expected}`"),
                Ok(None) => format!("no pipeline takes `{key}`: every `when` is false"),
                Err(error) => format!("`{key}` takes no pipeline: {error}"),
            };
            report.error(&self.place.key("pipeline"), found, None);
        }
    }

    fn order(&self, report: &mut Report) {
        let Some(expected) = &self.expectation.order else { return };
        let mut ranked = Vec::new();
        for (position, (key, inputs)) in self.given().enumerate() {
            match rank::rank(self.backlog, &inputs) {
                Ok(rank) => ranked.push((rank, key)),
                Err(error) => {
                    let message = format!("`{key}` has no place: {error}");
                    return report.error(&self.place.key("given").index(position), message, None);
                }
            }
        }
        ranked.sort_by(|a, b| a.0.key.cmp(&b.0.key));
        let found: Vec<_> = ranked.iter().map(|(_, key)| *key).collect();
        if found != *expected {
            let message = format!("expected {}; the order is {}", expected.join(", "), found.join(", "));
            let terms: Vec<_> = ranked.iter().filter_map(|(rank, key)| terms(rank, key)).collect();
            let help = (!terms.is_empty()).then(|| terms.join("\n"));
            report.error(&self.place.key("order"), message, help);
        }
    }

    fn given(&self) -> impl Iterator<Item = (&str, Inputs<'_>)> {
        self.expectation.given.iter().map(|given| (given.table.key.as_str(), inputs(self.backlog, given)))
    }
}

/// `old-low has 6: 1 from …, 5 from …`, where there is a formula.
fn terms(rank: &Rank, key: &str) -> Option<String> {
    let score = rank.score_thousandths? as f64 / 1000.0;
    let terms = rank.terms.iter().map(|term| format!("{} from `{}`", term.value, term.text));
    Some(format!("{key} has {score}: {}", terms.collect::<Vec<_>>().join(", ")))
}

fn taken<'b>(backlog: &'b Backlog, inputs: &Inputs<'_>) -> Result<Option<&'b String>, EvalError> {
    for route in &backlog.routes {
        let is_taken = route.when.as_ref().map_or(Ok(true), |when| when.truth(inputs))?;
        if is_taken {
            return Ok(Some(&route.pipeline));
        }
    }
    Ok(None)
}

fn inputs<'a>(backlog: &'a Backlog, given: &'a Given) -> Inputs<'a> {
    let age = DAY.saturating_mul(given.table.age_days);
    let age_millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Inputs {
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
    }
}
