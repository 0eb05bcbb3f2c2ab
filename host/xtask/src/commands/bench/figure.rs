//! Figures as benchmarks print them (`host/sandbox/benches/measure/mod.rs`), and what is made of them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// One figure: the same thing measured again and again.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Figure {
    /// What was measured.
    pub(super) name: String,
    /// Of the blocks, e.g. `µs`.
    pub(super) unit: String,
    /// One number a block.
    pub(super) blocks: Vec<f64>,
    /// What it is compared with.
    pub(super) against: Option<Against>,
    /// Bounds that the medians are held against.
    pub(super) targets: Vec<Target>,
    /// Milliseconds that an fdatasync of 4 KiB took, once a round.
    pub(super) fdatasync_ms: Vec<f64>,
    /// Further numbers by their name and unit.
    pub(super) facts: BTreeMap<String, f64>,
}

/// What a figure is compared with: as many blocks, each measured beside the one at its place.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Against {
    /// What was measured.
    pub(super) name: String,
    /// One number a block.
    pub(super) blocks: Vec<f64>,
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Target {
    /// Of the figure itself.
    AtMost(f64),
    /// Of figure ÷ comparison.
    RatioAtMost(f64),
    /// Of figure ÷ comparison.
    RatioAtLeast(f64),
}

/// A figure, put together.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    pub(super) name: String,
    unit: String,
    measured: Spread,
    against: Option<Baseline>,
    ratio: Option<Spread>,
    targets: Vec<(Target, bool)>,
    fdatasync_ms: Option<Spread>,
    pub(super) facts: BTreeMap<String, f64>,
}

#[derive(Debug, Serialize)]
struct Baseline {
    name: String,
    measured: Spread,
}

/// The middle and the ends of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, unit: &str, blocks: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            blocks,
            against: None,
            targets: Vec::new(),
            fdatasync_ms: Vec::new(),
            facts: BTreeMap::new(),
        }
    }

    pub(super) fn judge(&self) -> Judged {
        let measured = Spread::of(&self.blocks).unwrap_or(Spread::UNKNOWN);
        // Of the blocks at the same place: what the machine did meanwhile, it did to both.
        let ratio = self.against.as_ref().and_then(|against| {
            let pairs = self.blocks.iter().zip(&against.blocks);
            Spread::of(&pairs.map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>())
        });
        let against = self.against.as_ref().and_then(|against| {
            Some(Baseline { name: against.name.clone(), measured: Spread::of(&against.blocks)? })
        });
        let holds = |target: Target| {
            let ratio = ratio.map_or(f64::NAN, |ratio| ratio.median);
            match target {
                Target::AtMost(bound) => measured.median <= bound,
                Target::RatioAtMost(bound) => ratio <= bound,
                Target::RatioAtLeast(bound) => ratio >= bound,
            }
        };
        Judged {
            name: self.name.clone(),
            unit: self.unit.clone(),
            measured,
            against,
            ratio,
            targets: self.targets.iter().map(|target| (*target, holds(*target))).collect(),
            fdatasync_ms: Spread::of(&self.fdatasync_ms),
            facts: self.facts.clone(),
        }
    }
}

impl Judged {
    /// A row of the table.
    pub(super) fn cells(&self) -> [String; 6] {
        let target = |(target, holds): &(Target, bool)| {
            let bound = match target {
                Target::AtMost(bound) => format!("≤ {} {}", short(*bound), self.unit),
                Target::RatioAtMost(bound) => format!("≤ {}×", short(*bound)),
                Target::RatioAtLeast(bound) => format!("≥ {}×", short(*bound)),
            };
            format!("{bound}: {}", if *holds { "holds" } else { "missed" })
        };
        let baseline = |against: &Baseline| format!("{}: {}", against.name, short(against.measured.median));
        [
            self.name.clone(),
            format!("{} {}", self.measured, self.unit),
            self.against.as_ref().map(baseline).unwrap_or_default(),
            self.ratio.map(|ratio| ratio.to_string()).unwrap_or_default(),
            self.targets.iter().map(target).collect::<Vec<_>>().join(", "),
            self.fdatasync_ms.map(|probe| format!("{} ms", short(probe.median))).unwrap_or_default(),
        ]
    }
}

impl Spread {
    /// Of nothing.
    const UNKNOWN: Self = Self { median: f64::NAN, min: f64::NAN, max: f64::NAN };

    fn of(numbers: &[f64]) -> Option<Self> {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
            _ => sorted[middle],
        };
        Some(Self { median, min, max })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}–{})", short(self.median), short(self.min), short(self.max))
    }
}

/// About three digits: more would be noise.
pub(super) fn short(number: f64) -> String {
    let decimals = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{number:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(blocks: &[f64], against: &[f64], target: Target) -> Figure {
        Figure {
            name: "a call".into(),
            unit: "µs".into(),
            blocks: blocks.to_vec(),
            against: Some(Against { name: "a bare one".into(), blocks: against.to_vec() }),
            targets: vec![target],
            fdatasync_ms: Vec::new(),
            facts: BTreeMap::new(),
        }
    }

    #[track_caller]
    fn check(figure: Figure, cells: [&str; 5]) {
        assert_eq!(figure.judge().cells()[..5], cells);
    }

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_of_neighbours() {
        let slow_machine_at_last = [[10.0, 12.0, 100.0], [10.0, 10.0, 100.0]];
        let [ours, theirs] = slow_machine_at_last;
        check(
            figure(&ours, &theirs, Target::RatioAtMost(1.0)),
            ["a call", "12 (10–100) µs", "a bare one: 10", "1 (1–1.2)", "≤ 1×: holds"],
        );
    }

    #[test]
    fn a_target_that_is_missed_is_said_to_be() {
        check(
            figure(&[1.0, 2.0], &[10.0, 10.0], Target::RatioAtLeast(0.3)),
            ["a call", "1.5 (1–2) µs", "a bare one: 10", "0.15 (0.1–0.2)", "≥ 0.3×: missed"],
        );
        check(
            figure(&[151.0], &[100.0], Target::AtMost(150.0)),
            ["a call", "151 (151–151) µs", "a bare one: 100", "1.51 (1.51–1.51)", "≤ 150 µs: missed"],
        );
    }
}
