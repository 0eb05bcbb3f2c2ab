//! What a person is asked when a run lacks something, and what they say.
//!
//! To run out of fuel, time or money is a pause, not a failure: the run waits, holds nothing and costs no attempt. Who approves
//! more lets the same attempt go on; who rejects ends the run. Either word is an event of the run and stands in its record.
//! A stage that its pipeline lets begin only with a person's approval is asked for in the same way.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Microcents, Timestamp, pipeline::millis, step::StepKey};

/// What a run lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lack {
    /// The fuel of one call.
    Fuel,
    /// The time of one call.
    Time,
    /// The money of the run.
    RunCost,
    /// The time of the run.
    RunTime,
    /// A person's approval, without which a stage does not begin.
    Approval,
    /// What a gate needs to be able to judge.
    Evidence,
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    /// The call that cannot go on, or not begin.
    pub step: StepKey,
    /// What is used up, or missing.
    pub lack: Lack,
    /// Who is to answer; anyone where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What was used, and what earlier runs say of how much more is needed.
    pub reason: String,
    /// What would probably be enough.
    pub suggested: Allowance,
}

/// What may be used beyond what the pipeline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Allowance {
    /// Units of fuel, for every later call of the same stage or gate in this run.
    pub fuel: u64,
    /// Wall time, for every later call of the same stage or gate in this run, and for the run.
    #[serde(rename = "time_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub time: Duration,
    /// Money, for the run.
    pub cost: Microcents,
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// When they said it.
    pub at: Timestamp,
    /// What they were asked.
    pub asked: Ask,
    /// What they said.
    #[serde(flatten)]
    pub word: Word,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "word", rename_all = "kebab-case")]
pub enum Word {
    /// The run goes on, with more where it lacked something.
    Approved {
        /// How much more; nothing where an approval was all that was asked.
        added: Allowance,
    },
    /// The run ends.
    Rejected,
}

impl Ask {
    /// Why a word is no answer to it, in a sentence.
    pub fn objection(&self, word: &Word) -> Option<String> {
        let Word::Approved { added } = word else { return None };
        match (self.lack, added.is_nothing()) {
            (Lack::Approval | Lack::Evidence, false) => {
                Some(format!("`{}` asks for a word alone: approve it and add nothing", self.step.name))
            }
            (Lack::Fuel | Lack::Time | Lack::RunCost | Lack::RunTime, true) => Some(format!(
                "`{}` asks for more, and nothing was added; it probably needs {}",
                self.step.name, self.suggested
            )),
            _ => None,
        }
    }
}

impl Allowance {
    /// Whether it allows nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Allowance {
    /// As it is written on the command line, exactly: `fuel=3G time=30s cost=$0.20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.fuel > 0 {
            parts.push(format!("fuel={}", fuel_words(self.fuel)));
        }
        if !self.time.is_zero() {
            parts.push(format!("time={}", time_words(self.time)));
        }
        if self.cost > Microcents::ZERO {
            parts.push(format!("cost={}", self.cost));
        }
        f.pad(&parts.join(" "))
    }
}

/// Fuel as people write it, to the unit: `831`, `12.5k`, `9M`.
pub fn fuel_words(fuel: u64) -> String {
    // At most three decimals, as pipeline files have them.
    let unit = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")]
        .into_iter()
        .find(|(unit, _)| fuel >= *unit && fuel.is_multiple_of(*unit / 1_000));
    let Some((unit, suffix)) = unit else { return fuel.to_string() };
    let decimals = format!("{:03}", fuel % unit / (unit / 1_000));
    match decimals.trim_end_matches('0') {
        "" => format!("{}{suffix}", fuel / unit),
        kept => format!("{}.{kept}{suffix}", fuel / unit),
    }
}

/// Time as people write it, to the millisecond: `30s`, `1500ms`.
pub fn time_words(time: Duration) -> String {
    let millis = time.as_millis();
    match millis % 1_000 {
        0 => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_written_as_it_is_typed() {
        let all = Allowance {
            fuel: 3_000_000_000,
            time: Duration::from_millis(1_500),
            cost: Microcents(20_000_000),
        };
        assert_eq!(all.to_string(), "fuel=3G time=1500ms cost=$0.20");
        assert_eq!(Allowance { fuel: 1_250_000, ..Allowance::default() }.to_string(), "fuel=1.25M");
        assert_eq!(fuel_words(1_234_567), "1234.567k");
        assert_eq!(fuel_words(831), "831");
        let minute = Allowance { time: Duration::from_secs(60), ..Allowance::default() };
        assert_eq!(minute.to_string(), "time=60s");
        assert!(Allowance::default().is_nothing());
    }
}
