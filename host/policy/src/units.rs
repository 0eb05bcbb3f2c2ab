//! Quantities as people write them: `60s`, `64MiB`, `2G` of fuel, `10s..5m`.

use std::time::Duration;

use tollgate_core::Microcents;

use crate::policy::Rate;

/// A text that is no such quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnitError {
    #[error("`{0}` is not a duration; expected e.g. `2s`, `5m` or `1h 30m`")]
    Duration(String),
    #[error("a duration of zero; expected e.g. `2s`")]
    NoTime,
    #[error("`{0}` is not an amount of memory; expected e.g. `64MiB`")]
    Bytes(String),
    #[error("`{0}` is not an amount of fuel; expected a number with `k`, `M`, `G` or `T`, e.g. `2G`")]
    Fuel(String),
    #[error("`{0}` is not a number of tokens; expected a number with `k` or `M`, e.g. `50k`")]
    Tokens(String),
    #[error("`{0}` is not a price of tokens; expected e.g. `$3 / 1M`")]
    TokenPrice(String),
    #[error("`{0}` is not so many in so long; expected e.g. `10 / 5m`")]
    Rate(String),
    #[error("`{0}` is not a range of durations; expected e.g. `10s..5m`")]
    Range(String),
    #[error("`{0}` goes backwards; expected the shorter duration first, e.g. `10s..5m`")]
    RangeBackwards(String),
}

/// A duration, down to the millisecond that everything is stored in; zero is one.
pub(crate) fn duration(text: &str) -> Result<Duration, UnitError> {
    let bad = || UnitError::Duration(text.to_owned());
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| bad())?;
    // `-1s` and ISO 8601's `PT1S` are durations to the parser and surprises to a reader.
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(bad());
    }
    let millis = u64::try_from(parsed.as_millis()).map_err(|_| bad())?;
    if i64::try_from(millis).is_err() {
        return Err(bad());
    }
    Ok(Duration::from_millis(millis))
}

/// A duration that something can happen in.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, UnitError> {
    duration(text).and_then(|parsed| if parsed.is_zero() { Err(UnitError::NoTime) } else { Ok(parsed) })
}

/// So many in so long, `10 / 5m`.
pub(crate) fn rate(text: &str) -> Result<Rate, UnitError> {
    let bad = || UnitError::Rate(text.to_owned());
    let (count, window) = text.split_once('/').ok_or_else(bad)?;
    let count = count.trim().parse().ok().filter(|count: &u32| *count > 0).ok_or_else(bad)?;
    let window = positive_duration(window.trim()).map_err(|_| bad())?;
    Ok(Rate { count, window })
}

/// Two durations, `10s..5m`.
pub(crate) fn duration_range(text: &str) -> Result<(Duration, Duration), UnitError> {
    let (from, to) = text.split_once("..").ok_or_else(|| UnitError::Range(text.to_owned()))?;
    let (from, to) = (duration(from.trim())?, duration(to.trim())?);
    if from > to { Err(UnitError::RangeBackwards(text.to_owned())) } else { Ok((from, to)) }
}

/// Bytes, by powers of ten (`MB`) or of two (`MiB`).
pub(crate) fn bytes(text: &str) -> Result<u64, UnitError> {
    let bad = || UnitError::Bytes(text.to_owned());
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim();
    // `64M` is 64 MB to the parser and 64 MiB to half of all readers.
    if !unit.ends_with(['B', 'b']) {
        return Err(bad());
    }
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| bad())
        .and_then(|size| if size == 0 || i64::try_from(size).is_err() { Err(bad()) } else { Ok(size) })
}

/// Tokens, counted as fuel is.
pub(crate) fn tokens(text: &str) -> Result<u64, UnitError> {
    fuel(text).map_err(|_| UnitError::Tokens(text.to_owned()))
}

/// What tokens cost, `$3 / 1M`, as the price of a million.
pub(crate) fn token_price(text: &str) -> Result<Microcents, UnitError> {
    let bad = || UnitError::TokenPrice(text.to_owned());
    let (money, count) = text.split_once('/').ok_or_else(bad)?;
    let money: Microcents = money.trim().parse().map_err(|_| bad())?;
    let count = tokens(count.trim())?;
    let per_million = (u128::from(money.0) * 1_000_000).div_ceil(u128::from(count));
    u64::try_from(per_million).map(Microcents).map_err(|_| bad())
}

/// Units of fuel: a number, at most three decimals, and a power of a thousand.
pub(crate) fn fuel(text: &str) -> Result<u64, UnitError> {
    let bad = || UnitError::Fuel(text.to_owned());
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        _ => return Err(bad()),
    };
    let digits = digits.trim_end();
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 3 || !plain(whole) || !plain(decimals) || digits.ends_with('.') {
        return Err(bad());
    }
    let thousandths: u64 = format!("{whole}{decimals:0<3}").parse().map_err(|_| bad())?;
    let amount = u128::from(thousandths) * u128::from(unit) / 1_000;
    match i64::try_from(amount) {
        Ok(amount) if amount > 0 => Ok(amount.unsigned_abs()),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_people_mean_them() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration_range("10s..5m"), Ok((Duration::from_secs(10), Duration::from_secs(300))));
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("64 MB"), Ok(64_000_000));
        assert_eq!(fuel("2G"), Ok(2_000_000_000));
        assert_eq!(fuel("1.5M"), Ok(1_500_000));
        assert_eq!(fuel("700"), Ok(700));
        assert_eq!(tokens("50k"), Ok(50_000));
        assert_eq!(token_price("$3 / 1M"), Ok(Microcents(300_000_000)));
        assert_eq!(token_price("$0.00025/1k"), Ok(Microcents(25_000_000)));
        assert_eq!(token_price("$0 / 1M"), Ok(Microcents(0)));
    }

    #[test]
    fn what_could_be_misread_is_refused() {
        for text in ["", "5", "-5s", "PT5S", "5 parsecs", "s", "99999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "64", "64M", "0MiB", "-1MB", "1e3MB", "MiB"] {
            assert!(bytes(text).is_err(), "{text}");
        }
        for text in ["", "G", "0", "2g", "2GB", "1.2345G", "1.G", "-1G", "99999999999T", "1_000"] {
            assert!(fuel(text).is_err(), "{text}");
        }
        for text in ["", "$3", "3 / 1M", "$3 / 0", "$3 / 1G / 1", "$3 per 1M", "$-3 / 1M"] {
            assert!(token_price(text).is_err(), "{text}");
        }
        for text in ["10s", "10s..", "5m..10s", ".."] {
            assert!(duration_range(text).is_err(), "{text}");
        }
        assert_eq!(positive_duration("0s"), Err(UnitError::NoTime));
    }
}
