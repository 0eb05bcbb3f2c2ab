//! When something happens: intervals and calendars.
//!
//! Five fields mean POSIX cron, whatever the crate beneath thinks: 0 and 7 are Sunday, and where both day-of-month and
//! day-of-week are restricted (neither begins with `*`), a day that matches *either* matches. The `cron` crate counts
//! Sunday as 1 and asks for *both*, so weekdays are written out for it and such an expression becomes two schedules.
//!
//! Matching is done on the calendar, in local time, and only then turned into points in time:
//!
//! * A time that a clock change leaves out happens when the gap ends.
//! * A time that a clock change repeats happens once, the first time; an expression for every hour (`*` or `*/n` there)
//!   goes on through the repeated hour, since it means an interval and not a time of day.

use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};
use jiff::{
    civil,
    tz::{AmbiguousOffset, TimeZone},
};
use tollgate_core::Timestamp;

/// When something happens.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// Again and again, so long after the last time.
    Every(Duration),
    /// By the calendar.
    Cron(Cron),
}

impl Schedule {
    /// The first time after `after`; none when there is no more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => Some(after.after(*interval)),
            Self::Cron(cron) => cron.next_after(after),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(interval) => {
                let interval = jiff::SignedDuration::try_from(*interval).unwrap_or(jiff::SignedDuration::MAX);
                write!(f, "every {interval:#}")
            }
            Self::Cron(cron) => cron.fmt(f),
        }
    }
}

/// Minutes of a calendar, by five fields.
#[derive(Debug, Clone)]
pub struct Cron {
    text: String,
    zone: TimeZone,
    /// One schedule, or two of which either may match.
    either: Vec<cron::Schedule>,
    every_hour: bool,
}

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Another number of fields.
    #[error(
        "`{text}` has {found} fields; expected five: minute, hour, day of month, month, day of week, e.g. `*/15 8-18 * * Mon-Fri`"
    )]
    Fields {
        /// The expression.
        text: String,
        /// How many it has.
        found: usize,
    },
    /// A day of week that is none.
    #[error("`{0}` is no day of week; expected 0 to 7 or Sun to Sat, e.g. `Mon-Fri`")]
    Weekday(String),
    /// A field that is wrong.
    #[error("`{text}` is no calendar: {message}")]
    Field {
        /// The expression.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// It never happens.
    #[error("`{0}` never happens: there is no such day")]
    Never(String),
}

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// No zone ever moved its clocks by more at once, but for days that were left out whole.
const LARGEST_FOLD: chrono::Duration = chrono::Duration::hours(3);

impl Cron {
    /// Reads an expression, to be matched in the local time of `zone`.
    ///
    /// # Errors
    ///
    /// When it has another number of fields, a field is wrong, or no day ever matches.
    pub fn parse(text: &str, zone: TimeZone) -> Result<Self, CronError> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(CronError::Fields { text: text.to_owned(), found: fields.len() });
        };
        // The crate takes `?` for "any", which POSIX does not know and others read differently.
        if let Some(foreign) = fields.iter().find(|field| field.contains('?')) {
            let message = format!("`{foreign}` is not of POSIX cron; write `*`");
            return Err(CronError::Field { text: text.to_owned(), message });
        }
        let weekdays = weekdays(weekday)?;
        let schedules = if day.starts_with('*') || weekday.starts_with('*') {
            vec![format!("0 {minute} {hour} {day} {month} {weekdays}")]
        } else {
            vec![
                format!("0 {minute} {hour} {day} {month} *"),
                format!("0 {minute} {hour} * {month} {weekdays}"),
            ]
        };
        let parse = |schedule: &String| {
            cron::Schedule::from_str(schedule).map_err(|error| CronError::Field {
                text: text.to_owned(),
                message: error.to_string().replace('\n', " "),
            })
        };
        let either = schedules.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let cron = Self { text: text.to_owned(), zone, either, every_hour: hour.starts_with('*') };
        // Leap days come at least every eight years; anything rarer does not come.
        let beginning = NaiveDate::from_ymd_opt(2026, 1, 1).and_then(|date| date.and_hms_opt(0, 0, 0));
        match beginning.and_then(|beginning| cron.civil_after(beginning)) {
            Some(_) => Ok(cron),
            None => Err(CronError::Never(text.to_owned())),
        }
    }

    /// The first time after `after`; none when there is no more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = after.to_jiff();
        let mut civil =
            to_chrono(after.to_zoned(self.zone.clone()).datetime()).checked_sub_signed(LARGEST_FOLD)?;
        let mut next: Option<jiff::Timestamp> = None;
        loop {
            civil = self.civil_after(civil)?;
            let (first, again) = self.times_of(to_jiff(civil)?);
            let later = [Some(first), again].into_iter().flatten().filter(|time| *time > after);
            next = next.into_iter().chain(later).min();
            // Later minutes of the calendar never come before `first`.
            if first > after {
                return next.map(Timestamp::from);
            }
        }
    }

    /// Whether the minute of `time`, as clocks in the zone show it, matches.
    pub fn matches(&self, time: Timestamp) -> bool {
        let civil = to_chrono(time.to_jiff().to_zoned(self.zone.clone()).datetime());
        let minute = civil.with_second(0).and_then(|civil| civil.with_nanosecond(0)).unwrap_or(civil);
        self.either.iter().any(|schedule| schedule.includes(minute.and_utc()))
    }

    fn civil_after(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        // The crate is asked in UTC, which has neither gaps nor folds: it sees the calendar alone.
        self.either.iter().filter_map(|s| s.after(&civil.and_utc()).next()).map(|time| time.naive_utc()).min()
    }

    /// When clocks in the zone show `civil`: once; for an interval, both times of a fold.
    fn times_of(&self, civil: civil::DateTime) -> (jiff::Timestamp, Option<jiff::Timestamp>) {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(civil).unwrap_or(jiff::Timestamp::MAX);
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => (at(offset), None),
            AmbiguousOffset::Fold { before, after } => (at(before), self.every_hour.then(|| at(after))),
            AmbiguousOffset::Gap { before, after } => {
                let transition =
                    self.zone.following(at(after)).next().map(|transition| transition.timestamp());
                (transition.unwrap_or_else(|| at(before)), None)
            }
        }
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn to_chrono(time: civil::DateTime) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(
        i32::from(time.year()),
        time.month().unsigned_abs().into(),
        time.day().unsigned_abs().into(),
    )
    .and_then(|date| {
        let part = |number: i8| u32::from(number.unsigned_abs());
        date.and_hms_opt(part(time.hour()), part(time.minute()), part(time.second()))
    })
    .unwrap_or(NaiveDateTime::MAX)
}

fn to_jiff(time: NaiveDateTime) -> Option<civil::DateTime> {
    civil::DateTime::new(
        i16::try_from(time.year()).ok()?,
        i8::try_from(time.month()).ok()?,
        i8::try_from(time.day()).ok()?,
        i8::try_from(time.hour()).ok()?,
        i8::try_from(time.minute()).ok()?,
        i8::try_from(time.second()).ok()?,
        0,
    )
    .ok()
}

/// Days of week as the crate writes them, 1 for Sunday.
fn weekdays(field: &str) -> Result<String, CronError> {
    let bad = |text: &str| CronError::Weekday(text.to_owned());
    let mut days = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                (range, step.parse::<usize>().ok().filter(|step| *step > 0).ok_or_else(|| bad(part))?)
            }
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (0, 6),
            Some((from, to)) => {
                (weekday(from).ok_or_else(|| bad(from))?, weekday(to).ok_or_else(|| bad(to))?)
            }
            None => {
                let day = weekday(range).ok_or_else(|| bad(range))?;
                (day, day)
            }
        };
        // `Sat-Sun` ends with the Sunday after, which POSIX calls 7.
        let to = if to == 0 && from > 0 { 7 } else { to };
        if from > to {
            return Err(bad(part));
        }
        days.extend((from..=to).step_by(step).map(|day| day % 7 + 1));
    }
    Ok(days.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
}

fn weekday(text: &str) -> Option<usize> {
    let text = text.to_ascii_lowercase();
    match text.parse::<usize>() {
        Ok(number) => (number <= 7 && text.len() == 1).then_some(number),
        Err(_) => WEEKDAYS.iter().position(|name| *name == text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn berlin(text: &str) -> Cron {
        Cron::parse(text, TimeZone::get("Europe/Berlin").unwrap()).unwrap()
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(cron: &str, after: &str, expected: &[&str]) {
        let cron = berlin(cron);
        let mut at = time(after);
        for next in expected {
            at = cron.next_after(at).unwrap();
            assert_eq!(at, time(next), "{cron}");
        }
    }

    #[test]
    fn five_fields_mean_posix_cron() {
        // 2026-11-21 is a Saturday; Berlin is one hour ahead of UTC.
        check(
            "*/15 8-18 * * Mon-Fri",
            "2026-11-21T12:00:00Z",
            &["2026-11-23T07:00:00Z", "2026-11-23T07:15:00Z"],
        );
        check("0 0 * * 0", "2026-11-21T12:00:00Z", &["2026-11-21T23:00:00Z", "2026-11-28T23:00:00Z"]);
        check("0 0 * * 7", "2026-11-21T12:00:00Z", &["2026-11-21T23:00:00Z", "2026-11-28T23:00:00Z"]);
        check("0 12 * * 5-7", "2026-11-21T12:00:00Z", &["2026-11-22T11:00:00Z", "2026-11-27T11:00:00Z"]);
        check("0 12 * * sat-sun", "2026-11-21T12:00:00Z", &["2026-11-22T11:00:00Z", "2026-11-28T11:00:00Z"]);
        check("0 12 1 jan *", "2026-11-21T12:00:00Z", &["2027-01-01T11:00:00Z"]);
    }

    #[test]
    fn restricted_days_of_month_and_of_week_match_either() {
        check(
            "0 12 1 * Mon",
            "2026-11-21T12:00:00Z",
            &["2026-11-23T11:00:00Z", "2026-11-30T11:00:00Z", "2026-12-01T11:00:00Z"],
        );
        // A step over all days does not restrict them.
        check("0 12 */2 * Mon", "2026-11-21T12:00:00Z", &["2026-11-23T11:00:00Z", "2026-12-07T11:00:00Z"]);
    }

    #[test]
    fn a_time_that_is_left_out_happens_when_the_gap_ends() {
        // On 2026-03-29 clocks in Berlin go from 02:00 to 03:00, at 01:00 UTC.
        check("30 2 * * *", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        check(
            "*/30 * * * *",
            "2026-03-29T00:15:00Z",
            &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        );
    }

    #[test]
    fn a_time_that_is_repeated_happens_once() {
        // On 2026-10-25 clocks in Berlin go from 03:00 back to 02:00, at 01:00 UTC.
        check("30 2 * * *", "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn an_interval_goes_on_through_a_repeated_hour() {
        check(
            "*/30 * * * *",
            "2026-10-25T00:10:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"],
        );
    }

    #[test]
    fn a_window_is_open_in_every_minute_that_matches() {
        let window = berlin("* 8-17 * * Mon-Fri");
        assert!(window.matches(time("2026-11-20T16:59:59Z")));
        assert!(!window.matches(time("2026-11-20T17:00:00Z")));
        assert!(!window.matches(time("2026-11-21T12:00:00Z")));
    }

    #[test]
    fn other_texts_are_refused() {
        let refused = |text: &str| Cron::parse(text, TimeZone::UTC).unwrap_err().to_string();
        insta::assert_snapshot!(refused("* * * *"), @"`* * * *` has 4 fields; expected five: minute, hour, day of month, month, day of week, e.g. `*/15 8-18 * * Mon-Fri`");
        insta::assert_snapshot!(refused("* * * * Mondag"), @"`Mondag` is no day of week; expected 0 to 7 or Sun to Sat, e.g. `Mon-Fri`");
        insta::assert_snapshot!(refused("0 0 30 2 *"), @"`0 0 30 2 *` never happens: there is no such day");
        for text in [
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "* * * * 5-2",
            "0 0 L * *",
            "0 0 ? * *",
            "* * * * */0",
            "@daily",
            "",
        ] {
            assert!(Cron::parse(text, TimeZone::UTC).is_err(), "{text}");
        }
    }

    #[test]
    fn an_interval_counts_from_the_last_time() {
        let every = Schedule::Every(Duration::from_secs(300));
        assert_eq!(every.next_after(time("2026-11-21T12:00:00Z")), Some(time("2026-11-21T12:05:00Z")));
        assert_eq!(every.to_string(), "every 5m");
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(text in "[-0-9*/, a-zA-Z#?]{0,24}") {
            if let Ok(cron) = Cron::parse(&text, TimeZone::get("Europe/Berlin").unwrap()) {
                cron.next_after(time("2026-03-28T12:00:00Z"));
            }
        }

        #[test]
        fn the_next_time_is_later_and_nothing_that_matches_lies_between(
            minute in 0u32..60, hour in 0u32..24, start in 1_774_000_000i64..1_806_000_000,
        ) {
            let cron = berlin(&format!("{minute} {hour} * * *"));
            let start = Timestamp::from_millis(start * 1000);
            let next = cron.next_after(start).unwrap();
            prop_assert!(next > start);
            prop_assert!(next.since(start) <= Duration::from_secs(26 * 3600));
        }
    }
}
