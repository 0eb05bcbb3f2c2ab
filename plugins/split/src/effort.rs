//! How large an entry is, and how large its parts.

use serde_json::Value;
use tollgate_plugin::{Context, Failure};

use crate::settings::Settings;

/// Efforts have three decimals at the most.
const DECIMALS: f64 = 1_000.0;

/// Beyond this the arithmetic in thousandths would not be exact.
const EFFORT_MAX: f64 = 1_000_000.0;

/// The effort of the entry: what its field says, or else what the triage stage found.
///
/// # Errors
///
/// A failure of class `escalate` when neither says anything, or what is said is no effort.
pub(crate) fn of_entry(ctx: &Context, settings: &Settings) -> Result<f64, Failure> {
    let key = &ctx.entry().key;
    let triage = ctx.prior(&settings.triage);
    let found = triage.as_ref().and_then(|output| output.data.get("effort"));
    let Some(said) = ctx.entry().field("effort").or(found) else {
        return Err(Failure::escalate(format!(
            "how large {key} is, nobody says: it has no field `effort`, and no stage `{}` found one",
            settings.triage
        )));
    };
    let refused = |what: &str| {
        Failure::escalate(format!(
            "the effort of {key} is {said}: {what}; a person has to say how large it is"
        ))
    };
    match said {
        Value::Number(number) => match number.as_f64() {
            Some(effort) if effort > 0.0 && effort <= EFFORT_MAX => {
                if (effort * DECIMALS).round() / DECIMALS == effort {
                    Ok(effort)
                } else {
                    Err(refused("expected three decimals at the most"))
                }
            }
            _ => Err(refused("expected a number above 0, and a million at the most")),
        },
        _ => Err(refused("expected a number")),
    }
}

/// The efforts of as many parts as it takes for none to exceed `size`, the larger ones first; none where these would be
/// more than `parts_max`. Whole efforts give whole parts.
pub fn shares(effort: f64, size: u32, parts_max: u32) -> Option<Vec<f64>> {
    let parts = (effort / f64::from(size)).ceil();
    if parts > f64::from(parts_max) {
        return None;
    }
    let unit = if effort.fract() == 0.0 { 1.0 } else { DECIMALS };
    // At most 100 parts of a million each, in thousandths: exact as either type.
    let (parts, units) = (parts as u64, (effort * unit).round() as u64);
    let share = |part: u64| units / parts + u64::from(part < units % parts);
    Some((0..parts).map(|part| share(part) as f64 / unit).collect())
}
