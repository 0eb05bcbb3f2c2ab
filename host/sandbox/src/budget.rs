//! The fuel limit: what things cost, what a call may move, and how a host call is paid.
//!
//! Fuel counts instructions by itself. A host call takes a hundred times longer than its few instructions, so its price
//! is taken off by hand, before it does anything, and is a function of bytes alone: the same call costs the same on every
//! machine and on every day.

use std::time::Duration;

use tollgate_core::pipeline::StepBudget;
use wasmtime::{StoreContextMut, Trap};

use crate::host::Host;

/// The price of any host call.
pub(crate) const HOST_CALL_FUEL: u64 = 1_000;

/// The price of a byte that is copied between guest and host, either way.
pub(crate) const COPIED_BYTE_FUEL: u64 = 1;

/// How much fuel a guest burns before the executor may run something else, and how far the counter can lag behind when
/// a guest traps. About a tenth of a millisecond.
pub(crate) const SLICE_FUEL: u64 = 1_000_000;

/// The `data` of a stage's result, as JSON.
pub(crate) const DATA_BYTES: usize = 1 << 20;

/// All texts of a result together.
pub(crate) const RESULT_BYTES: u64 = 4 << 20;

/// Findings, artifacts or pieces of evidence of a result.
pub(crate) const RESULT_ITEMS: usize = 1_000;

/// Effects of a result.
pub(crate) const EFFECTS: usize = 100;

/// The `with` table of a stage or gate, as JSON.
pub(crate) const SETTINGS_BYTES: usize = 256 << 10;

/// One line of the log; also one summary or message of a result.
pub(crate) const LINE_BYTES: usize = 8 << 10;

/// Lines of the log that are kept.
pub(crate) const LOG_LINES: usize = 1_000;

/// Bytes of the log that are kept.
pub(crate) const LOG_BYTES: usize = 256 << 10;

/// One artifact, written or read at once.
pub(crate) const ARTIFACT_BYTES: u64 = 16 << 20;

/// All artifacts that a call writes. They are held in memory until it returns.
pub(crate) const WRITTEN_BYTES: u64 = 64 << 20;

/// What a guest may pass to the host in one go; more than an artifact, so that one that is too large can be answered.
pub(crate) const TRANSFER_BYTES: usize = 32 << 20;

/// Handles that a guest may hold.
pub(crate) const HANDLES: usize = 1_000;

/// Bytes of randomness by one call.
pub(crate) const RANDOM_BYTES: u64 = 64 << 10;

/// Messages of a request to a model, and all texts of it together.
pub(crate) const MODEL_MESSAGES: usize = 1_000;
pub(crate) const MODEL_REQUEST_BYTES: u64 = 4 << 20;

/// The JSON Schema that a reply of a model has to satisfy.
pub(crate) const MODEL_SCHEMA_BYTES: usize = 64 << 10;

/// Requests to models that a call may make, repeated ones included.
pub(crate) const MODEL_REQUESTS: u32 = 100;

/// All of the above: results and costs are the same only where these are.
pub(crate) const LIMITS_AND_PRICES: [(&str, u64); 18] = [
    ("host-call-fuel", HOST_CALL_FUEL),
    ("copied-byte-fuel", COPIED_BYTE_FUEL),
    ("data-bytes", DATA_BYTES as u64),
    ("result-bytes", RESULT_BYTES),
    ("result-items", RESULT_ITEMS as u64),
    ("effects", EFFECTS as u64),
    ("settings-bytes", SETTINGS_BYTES as u64),
    ("line-bytes", LINE_BYTES as u64),
    ("log-lines", LOG_LINES as u64),
    ("log-bytes", LOG_BYTES as u64),
    ("artifact-bytes", ARTIFACT_BYTES),
    ("written-bytes", WRITTEN_BYTES),
    ("transfer-bytes", TRANSFER_BYTES as u64),
    ("random-bytes", RANDOM_BYTES),
    ("model-messages", MODEL_MESSAGES as u64),
    ("model-request-bytes", MODEL_REQUEST_BYTES),
    ("model-schema-bytes", MODEL_SCHEMA_BYTES as u64),
    ("model-requests", MODEL_REQUESTS as u64),
];

/// Takes `fuel` off what the guest has left.
///
/// # Errors
///
/// [`Trap::OutOfFuel`] when it has not that much left; it then has nothing left.
pub(crate) fn charge(store: &mut StoreContextMut<'_, Host>, fuel: u64) -> wasmtime::Result<()> {
    let left = store.get_fuel()?;
    store.set_fuel(left.saturating_sub(fuel))?;
    if left < fuel { Err(Trap::OutOfFuel.into()) } else { Ok(()) }
}

/// What a call burnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Burnt {
    /// Never less than what was burnt, never more than the limit.
    pub(crate) fuel: u64,
    /// Whether it is what was burnt.
    pub(crate) exact: bool,
}

/// How a call ended, as far as its fuel goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The guest returned, so the counter is right.
    Returned,
    /// The guest was stopped: the counter stands where the guest last left a function or began a slice.
    Stopped,
    /// There was nothing left.
    OutOfFuel,
}

impl Burnt {
    /// From the counter, what is owed besides (see [`crate::wasi`]), and how the call ended.
    pub(crate) fn new(limit: u64, left: u64, owed: u64, ended: Ended) -> Self {
        let counted = limit.saturating_sub(left).saturating_add(owed);
        match ended {
            Ended::Returned => Self { fuel: counted.min(limit), exact: true },
            Ended::Stopped => Self { fuel: counted.saturating_add(SLICE_FUEL).min(limit), exact: false },
            Ended::OutOfFuel => Self { fuel: limit, exact: true },
        }
    }
}

/// A call's fuel as people write it in pipeline files.
pub(crate) fn fuel_words(budget: &StepBudget) -> String {
    let fuel = budget.fuel;
    [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")]
        .into_iter()
        .find(|(unit, _)| fuel >= *unit)
        .map_or_else(|| fuel.to_string(), |(unit, suffix)| format!("{}{suffix}", decimal(fuel, unit)))
}

/// A call's memory as people write it.
pub(crate) fn memory_words(bytes: u64) -> String {
    [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        .into_iter()
        .find(|(unit, _)| bytes >= *unit)
        .map_or_else(|| format!("{bytes} B"), |(unit, suffix)| format!("{} {suffix}", decimal(bytes, unit)))
}

/// A call's time as people write it.
pub(crate) fn time_words(time: Duration) -> String {
    format!("{time:?}")
}

/// `value / unit` with at most two decimals, none of them a trailing zero.
fn decimal(value: u64, unit: u64) -> String {
    let hundredths = u128::from(value) * 100 / u128::from(unit);
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match rest {
        0 => whole.to_string(),
        rest if rest % 10 == 0 => format!("{whole}.{}", rest / 10),
        rest => format!("{whole}.{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_words(fuel: u64, words: &str) {
        let budget = StepBudget { fuel, time: Duration::ZERO, memory_bytes: 0, tokens: None };
        assert_eq!(fuel_words(&budget), words);
    }

    #[test]
    fn fuel_is_said_as_it_is_written() {
        check_words(999, "999");
        check_words(50_000_000, "50M");
        check_words(2_000_000_000, "2G");
        check_words(1_250_000_000, "1.25G");
        check_words(1_050_000, "1.05M");
        check_words(1_500, "1.5k");
    }

    #[test]
    fn memory_is_said_as_it_is_written() {
        assert_eq!(memory_words(64 << 20), "64 MiB");
        assert_eq!(memory_words(3 << 29), "1.5 GiB");
        assert_eq!(memory_words(1), "1 B");
    }

    #[test]
    fn a_cost_is_never_reported_too_low_nor_above_the_limit() {
        let limit = 5 * SLICE_FUEL;
        let check = |left, owed, ended, fuel, exact| {
            assert_eq!(Burnt::new(limit, left, owed, ended), Burnt { fuel, exact });
        };
        check(limit - 10, 0, Ended::Returned, 10, true);
        check(limit - 10, 5, Ended::Returned, 15, true);
        check(limit - 10, 0, Ended::Stopped, SLICE_FUEL + 10, false);
        check(10, 0, Ended::Stopped, limit, false);
        check(limit, 0, Ended::OutOfFuel, limit, true);
    }
}
