//! How long a provider is left alone that asked for it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::header::HeaderMap;

/// The first wait where the provider names none; doubled each time until it answers.
const FIRST: Duration = Duration::from_secs(10);

/// The longest of these waits.
const LONGEST: Duration = Duration::from_secs(600);

/// The longest wait that a provider may name.
const LONGEST_NAMED: Duration = Duration::from_secs(24 * 3600);

/// Whether a provider is to be left alone, for everyone who asks it.
#[derive(Debug, Default)]
pub(crate) struct Rest(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    until: Option<Instant>,
    refusals: u32,
}

impl Rest {
    /// Whether it may be asked now; otherwise how long not.
    pub(crate) fn check(&self, now: Instant) -> Result<(), Duration> {
        let left = self.lock().until.map(|until| until.saturating_duration_since(now));
        match left.filter(|left| !left.is_zero()) {
            Some(left) => Err(left),
            None => Ok(()),
        }
    }

    /// It asked to be left alone; how long it is.
    pub(crate) fn begin(&self, named: Option<Duration>, now: Instant) -> Duration {
        let mut state = self.lock();
        let unnamed = FIRST.saturating_mul(1 << state.refusals.min(16)).min(LONGEST);
        let wait = named.map_or(unnamed, |named| named.min(LONGEST_NAMED));
        state.refusals += 1;
        state.until = Some(now + wait).max(state.until);
        wait
    }

    /// It answered.
    pub(crate) fn end(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait that a response names: in milliseconds as some providers do, in seconds, or as a date, which counts from the date of the
/// response, since the clocks of two machines differ.
pub(crate) fn named_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|millis| millis / 1_000.0).or_else(|| number("retry-after"));
    if let Some(seconds) = seconds {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = |name: &str| DateTimeParser::new().parse_timestamp(text(name)?).ok();
    let wait: jiff::SignedDuration = Timestamp::duration_since(date("retry-after")?, date("date")?);
    Some(Duration::try_from(wait).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| {
            (reqwest::header::HeaderName::from_static(name), value.parse().expect("a header"))
        });
        named_wait(&headers.collect())
    }

    #[test]
    fn a_wait_is_read_as_providers_write_it() {
        const DATE: &str = "Sat, 21 Nov 2026 10:00:00 GMT";
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(wait(&[("retry-after", " 0.5 ")]), Some(Duration::from_millis(500)));
        assert_eq!(
            wait(&[("retry-after-ms", "1500"), ("retry-after", "2")]),
            Some(Duration::from_millis(1500))
        );
        let at = ("retry-after", "Sat, 21 Nov 2026 10:01:30 GMT");
        assert_eq!(wait(&[at, ("date", DATE)]), Some(Duration::from_secs(90)));
        assert_eq!(wait(&[at]), None, "nobody knows when that is");
        assert_eq!(wait(&[("retry-after", DATE), ("date", at.1)]), Some(Duration::ZERO), "it is over");
        for odd in ["", "soon", "-3", "NaN", "1e300"] {
            assert_eq!(wait(&[("retry-after", odd)]), None, "{odd}");
        }
    }

    #[test]
    fn a_provider_that_names_no_wait_is_left_alone_longer_each_time() {
        let (rest, start) = (Rest::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(rest.check(start), Ok(()));
        assert_eq!(rest.begin(None, start), Duration::from_secs(10));
        assert_eq!(rest.check(start), Err(Duration::from_secs(10)));
        assert_eq!(rest.check(after(10)), Ok(()));
        assert_eq!(rest.begin(None, after(10)), Duration::from_secs(20));
        assert_eq!(rest.begin(Some(Duration::from_secs(3)), after(10)), Duration::from_secs(3));
        assert_eq!(rest.check(after(10)), Err(Duration::from_secs(20)), "the longer of two waits counts");
        assert!((0..100).all(|_| rest.begin(None, start) <= LONGEST));
        rest.end();
        assert_eq!(rest.check(start), Ok(()));
        assert_eq!(rest.begin(None, start), FIRST);
        assert_eq!(rest.begin(Some(Duration::MAX), start), LONGEST_NAMED);
    }
}
