//! Caps: what may be spent, what is set aside, what was spent.
//!
//! The property wanted, at every commit and for every cap: settled + escrow ≤ limit. So money is set aside when a run is
//! claimed, before anything is spent, and what a step used is moved from escrow to settled; it can never use more than was
//! set aside. What is left of an escrow when the run rests is returned. Overdraft exists for programs that tell their price
//! afterwards; it is booked apart and stops dispatch.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Microcents, Timestamp};

/// How often a cap starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CapPeriod {
    /// At midnight in the cap's zone.
    Day,
    /// At midnight of the first of the month in the cap's zone.
    Month,
}

impl CapPeriod {
    /// The word used in stores and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The name of the period that `now` falls into, in the zone's calendar: `2026-11-21` or `2026-11`.
    pub fn label_at(self, now: Timestamp, zone: &jiff::tz::TimeZone) -> String {
        let date = now.to_jiff().to_zoned(zone.clone()).date();
        match self {
            Self::Day => date.to_string(),
            Self::Month => format!("{:04}-{:02}", date.year(), date.month()),
        }
    }

    /// When the period after the one that `now` falls into begins, in the zone's calendar.
    pub fn next_begins_at(self, now: Timestamp, zone: &jiff::tz::TimeZone) -> Timestamp {
        let today = now.to_jiff().to_zoned(zone.clone()).date();
        let first = match self {
            Self::Day => today.tomorrow(),
            Self::Month => today.last_of_month().tomorrow(),
        };
        // Beyond the calendar's end no period begins.
        let begins = first.and_then(|date| date.to_zoned(zone.clone()));
        begins.map_or(Timestamp::from_millis(i64::MAX), |at| at.timestamp().into())
    }
}

/// A limit on spending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cap {
    /// What it limits: `project`, or `plugin:<name>`.
    pub scope: String,
    /// How often it starts again.
    pub period: CapPeriod,
    /// The time zone whose midnight counts, e.g. `Europe/Berlin`.
    pub zone: String,
    /// How much, in one period.
    pub limit: Microcents,
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} a {} for {}", self.limit, self.period.as_str(), self.scope)
    }
}

/// Where a cap stands in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CapBalance {
    /// Spent.
    pub settled: Microcents,
    /// Set aside by live runs.
    pub escrow: Microcents,
    /// Spent beyond what had been set aside.
    pub overdraft: Microcents,
}

/// Why money cannot be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The cap would be exceeded.
    #[error("{asked} more would exceed the cap of {limit}: {settled} are spent and {escrow} set aside")]
    CapReached {
        /// What was asked for.
        asked: Microcents,
        /// The cap.
        limit: Microcents,
        /// Spent so far.
        settled: Microcents,
        /// Set aside so far.
        escrow: Microcents,
    },
    /// More would be moved than was set aside.
    #[error("{asked} cannot be taken from an escrow of {escrow}")]
    EscrowTooSmall {
        /// What was asked for.
        asked: Microcents,
        /// What there is.
        escrow: Microcents,
    },
}

impl CapBalance {
    /// How much more can be set aside.
    pub fn room(self, limit: Microcents) -> Microcents {
        limit.saturating_sub(self.settled + self.escrow + self.overdraft)
    }

    /// Sets `amount` aside.
    ///
    /// # Errors
    ///
    /// [`LedgerError::CapReached`] when the cap, an overdraft included, leaves no room for it; nothing is changed.
    pub fn reserve(self, amount: Microcents, limit: Microcents) -> Result<Self, LedgerError> {
        if amount > self.room(limit) {
            let Self { settled, escrow, .. } = self;
            return Err(LedgerError::CapReached { asked: amount, limit, settled, escrow });
        }
        Ok(Self { escrow: self.escrow + amount, ..self })
    }

    /// Moves `amount` from escrow to settled.
    ///
    /// # Errors
    ///
    /// [`LedgerError::EscrowTooSmall`] when less was set aside; nothing is changed.
    pub fn settle(self, amount: Microcents) -> Result<Self, LedgerError> {
        let left = self.release(amount)?;
        Ok(Self { settled: left.settled + amount, ..left })
    }

    /// Returns `amount` of what was set aside.
    ///
    /// # Errors
    ///
    /// [`LedgerError::EscrowTooSmall`] when less was set aside; nothing is changed.
    pub fn release(self, amount: Microcents) -> Result<Self, LedgerError> {
        if amount > self.escrow {
            return Err(LedgerError::EscrowTooSmall { asked: amount, escrow: self.escrow });
        }
        Ok(Self { escrow: self.escrow.saturating_sub(amount), ..self })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Move {
        Reserve(u64),
        Settle(u64),
        Release(u64),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            (0u64..60).prop_map(Move::Reserve),
            (0u64..60).prop_map(Move::Settle),
            (0u64..60).prop_map(Move::Release),
        ];
        proptest::collection::vec(one, 0..60)
    }

    proptest! {
        #[test]
        fn no_sequence_of_moves_exceeds_a_cap(limit in 0u64..150, moves in moves()) {
            let limit = Microcents(limit);
            let mut balance = CapBalance::default();
            for step in moves {
                let before = balance;
                let moved = match step {
                    Move::Reserve(amount) => before.reserve(Microcents(amount), limit),
                    Move::Settle(amount) => before.settle(Microcents(amount)),
                    Move::Release(amount) => before.release(Microcents(amount)),
                };
                balance = moved.unwrap_or(before);
                prop_assert!(balance.settled + balance.escrow <= limit);
                prop_assert!(balance.settled >= before.settled, "what is spent stays spent");
            }
        }
    }

    #[test]
    fn a_cap_is_told_with_its_period_and_its_scope() {
        let (scope, zone) = ("plugin:triage".into(), "UTC".into());
        let cap = Cap { scope, period: CapPeriod::Month, zone, limit: Microcents(150_000_000) };
        assert_eq!(cap.to_string(), "$1.50 a month for plugin:triage");
    }

    #[test]
    fn a_day_begins_at_midnight_in_the_zone_of_the_cap() {
        let late: Timestamp = "2026-11-20T23:30:00Z".parse().unwrap();
        let berlin = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(CapPeriod::Day.label_at(late, &berlin), "2026-11-21");
        assert_eq!(CapPeriod::Day.label_at(late, &jiff::tz::TimeZone::UTC), "2026-11-20");
        assert_eq!(CapPeriod::Month.label_at(late, &berlin), "2026-11");
        assert_eq!(CapPeriod::Day.next_begins_at(late, &berlin).to_string(), "2026-11-21T23:00:00.000Z");
        assert_eq!(CapPeriod::Month.next_begins_at(late, &berlin).to_string(), "2026-11-30T23:00:00.000Z");
    }
}
