//! When an item was written, as people write it.

use jiff::{civil::DateTime, tz::TimeZone};
use tollgate_core::Timestamp;

/// The time that a text names: RFC 3339, or a date with or without time of day in `zone`. A date is its midnight.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.into());
    }
    let local: DateTime = text.parse().ok()?;
    Some(local.to_zoned(zone.clone()).ok()?.timestamp().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(parse(text, &zone).map(|time| time.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        check("2026-03-04", Some("2026-03-03T23:00:00.000Z"));
        check("2025-07-23 18:40", Some("2025-07-23T16:40:00.000Z"));
        check("2025-07-23T18:40:07", Some("2025-07-23T16:40:07.000Z"));
        check(" 2026-03-04T10:00:00Z ", Some("2026-03-04T10:00:00.000Z"));
        check("2026-03-04T10:00:00+09:00", Some("2026-03-04T01:00:00.000Z"));
        // A local time that the change to summer time leaves out, and one that occurs twice.
        check("2026-03-29 02:30", Some("2026-03-29T01:30:00.000Z"));
        check("2026-10-25 02:30", Some("2026-10-25T00:30:00.000Z"));
        for other in ["", "soon", "04.03.2026", "2026-13-01", "2026", "12"] {
            check(other, None);
        }
    }
}
