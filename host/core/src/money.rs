//! Money.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use serde::{Deserialize, Serialize};

/// Millionths of a cent: 100,000,000 of them are a dollar. Never negative: a refund is a smaller charge.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Microcents(pub u64);

const PER_DOLLAR: u64 = 100_000_000;

/// A text that is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount; expected dollars, e.g. `$0.20`")]
pub struct MoneyError(String);

impl Microcents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, or the largest amount there is.
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Microcents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Sum for Microcents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

impl fmt::Display for Microcents {
    /// Dollars, with two decimals or as many as the amount needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:08}", self.0 % PER_DOLLAR);
        let kept = decimals.trim_end_matches('0').len().max(2);
        write!(f, "${}.{}", self.0 / PER_DOLLAR, &decimals[..kept])
    }
}

impl FromStr for Microcents {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let bad = || MoneyError(text.to_owned());
        let digits = text.strip_prefix('$').ok_or_else(bad)?;
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || decimals.is_empty() || decimals.len() > 8 || !plain(whole) || !plain(decimals)
        {
            return Err(bad());
        }
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        let decimals: u64 = format!("{decimals:0<8}").parse().map_err(|_| bad())?;
        whole.checked_mul(PER_DOLLAR).and_then(|w| w.checked_add(decimals)).map(Self).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, microcents: u64, printed: &str) {
        let amount: Microcents = text.parse().unwrap();
        assert_eq!(amount, Microcents(microcents));
        assert_eq!(amount.to_string(), printed);
    }

    #[test]
    fn amounts_are_exact() {
        check("$0", 0, "$0.00");
        check("$20", 2_000_000_000, "$20.00");
        check("$0.2", 20_000_000, "$0.20");
        check("$0.00000001", 1, "$0.00000001");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "$", "5", "$-1", "$1.", "$.5", "$1.123456789", "$1e3", "€5", "$99999999999999"] {
            assert!(text.parse::<Microcents>().is_err(), "{text}");
        }
    }
}
