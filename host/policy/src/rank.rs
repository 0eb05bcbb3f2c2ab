//! An entry's place in its lane.

use tollgate_core::rank::{Direction, RankKey, RankPart};

use crate::{
    admission::Rank,
    formula::{EvalError, FieldValue, Formula, Inputs, Term, sum_of},
    policy::{Backlog, Order, OrderKey, OrderSource},
};

/// Scores beyond this have no exact thousandths.
const SCORE_MAX: f64 = 9.0e12;

/// What a priority formula says of an entry, but for what is the entry's own.
#[derive(Debug, Clone)]
pub(crate) struct Score {
    pub(crate) thousandths: i64,
    terms: Vec<Term>,
    /// What an entry of no age has, and what every entry gains each day, where all gain the same.
    steady: Option<(i64, i64)>,
}

/// Where an entry with these inputs stands.
///
/// # Errors
///
/// When the priority formula has no usable result.
pub(crate) fn rank(backlog: &Backlog, inputs: &Inputs<'_>) -> Result<Rank, EvalError> {
    let score = match &backlog.order {
        Order::Priority(formula) => Some(score(formula, inputs)?),
        Order::By(_) => None,
    };
    Ok(place(backlog, score, inputs))
}

/// What the formula says.
///
/// # Errors
///
/// When it has no usable result.
pub(crate) fn score(formula: &Formula, inputs: &Inputs<'_>) -> Result<Score, EvalError> {
    let terms = formula.explain(inputs)?;
    let thousandths_of = |value| thousandths(formula, value);
    let thousandths = thousandths_of(sum_of(&terms))?;
    let steady = match formula.slope_thousandths() {
        Some(slope) => {
            Some((thousandths_of(formula.number(&Inputs { age_days: 0, ..inputs.clone() })?)?, slope))
        }
        None => None,
    };
    Ok(Score { thousandths, terms, steady })
}

/// Where an entry with this score stands; by the keys of its backlog where there is none.
pub(crate) fn place(backlog: &Backlog, score: Option<Score>, inputs: &Inputs<'_>) -> Rank {
    let Some(Score { thousandths, terms, steady }) = score else {
        let keys = match &backlog.order {
            Order::By(keys) => keys.as_slice(),
            Order::Priority(_) => &[],
        };
        let parts: Vec<_> = keys.iter().flat_map(|key| parts(key, inputs)).collect();
        let key = RankKey::new(&parts, inputs.created);
        return Rank { key, score_thousandths: None, terms: Vec::new() };
    };
    let lasting = match steady {
        // Every entry gains the same each day, so leaving out what was gained since 1970 changes no order, ever.
        Some((at_birth, slope)) => {
            at_birth.saturating_sub(slope.saturating_mul(backlog.day_number(inputs.created)))
        }
        None => thousandths,
    };
    let key = RankKey::new(&[(RankPart::Thousandths(lasting), Direction::Descending)], inputs.created);
    Rank { key, score_thousandths: Some(thousandths), terms }
}

fn thousandths(formula: &Formula, value: f64) -> Result<i64, EvalError> {
    if value.is_finite() && value.abs() <= SCORE_MAX {
        // In range by the line above, so the conversion is exact.
        return Ok((value * 1000.0).round() as i64);
    }
    let problem = format!("is {value}; a score is between -{SCORE_MAX:e} and {SCORE_MAX:e}");
    Err(EvalError { formula: formula.source().to_owned(), term: formula.source().to_owned(), problem })
}

/// The parts of one key. An optional field has a part ahead that puts entries without it last, in either direction.
fn parts(key: &OrderKey, inputs: &Inputs<'_>) -> Vec<(RankPart, Direction)> {
    let text = |text: &str| vec![(RankPart::Text(text.to_owned()), key.direction)];
    match &key.source {
        OrderSource::Author => text(inputs.author),
        OrderSource::Key => text(inputs.key),
        OrderSource::Kind => text(inputs.kind),
        OrderSource::Title => text(inputs.title),
        OrderSource::Tracker => text(inputs.tracker),
        OrderSource::Created => vec![(RankPart::Thousandths(inputs.created.as_millis()), key.direction)],
        OrderSource::Field(name) => {
            let present = |absent: i64| (RankPart::Thousandths(absent), Direction::Ascending);
            match inputs.fields.get(name) {
                Some(value) => vec![present(0), (value_part(value), key.direction)],
                None => vec![present(1)],
            }
        }
    }
}

fn value_part(value: &FieldValue) -> RankPart {
    match value {
        FieldValue::Text(text) => RankPart::Text(text.clone()),
        // Saturates at the ends, which are as far apart as anyone's values.
        FieldValue::Number(number) => RankPart::Thousandths((number * 1000.0).round() as i64),
        FieldValue::Bool(truth) => RankPart::Thousandths(i64::from(*truth)),
        FieldValue::Time(time) => RankPart::Thousandths(time.as_millis()),
        FieldValue::List(items) => RankPart::Text(items.join("\n")),
    }
}
