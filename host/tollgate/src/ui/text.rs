//! How values are written for people.

use std::time::Duration;

use tollgate_core::{
    Timestamp,
    entry::{Hold, HoldKind},
    step::{Finding, Severity},
};

/// A reason is cut to this in lines: enough for every sentence that quotes nothing of a project's own.
const HOLD_COLUMNS: usize = 120;

/// Text that somebody else wrote, safe to show: control characters and those that turn the reading direction are replaced.
pub(crate) fn clean(text: &str) -> String {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Cut to `columns` on a terminal, with an ellipsis where something was cut; on one line.
pub(crate) fn shorten(text: &str, columns: usize) -> String {
    let line = clean(text).replace(['\n', '\t'], " ");
    console::truncate_str(&line, columns, "…").into_owned()
}

/// Why an entry is held, short enough for a line; `why` says all of it.
pub(crate) fn hold(hold: &Hold) -> String {
    let reason = match hold.kind {
        HoldKind::NotEligible if !hold.subject.is_empty() => format!("`{}` is false", hold.subject),
        _ => hold.reason.clone(),
    };
    shorten(&reason, HOLD_COLUMNS)
}

/// What a gate found, on a line of its own.
pub(crate) fn finding(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let place = match &finding.location {
        Some(location) => match location.line {
            Some(line) => format!(" ({}:{line})", location.path),
            None => format!(" ({})", location.path),
        },
        None => String::new(),
    };
    format!("    {} {severity}: {}{place}", finding.rule, finding.message)
}

/// `1 entry`, `2 entries`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A score: `4.2` for 4200 thousandths.
pub(crate) fn score(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let (whole, rest) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
    let decimals = format!("{rest:03}");
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        kept => format!("{sign}{whole}.{kept}"),
    }
}

/// A number of a formula, without decimals that say nothing.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Units of fuel, or other large numbers: `831`, `12.3M`, `1.5G`.
pub(crate) fn large(number: u64) -> String {
    let scaled = |unit: u64, suffix: &str| {
        let tenths = number / (unit / 10);
        match tenths % 10 {
            0 => format!("{}{suffix}", tenths / 10),
            tenth => format!("{}.{tenth}{suffix}", tenths / 10),
        }
    };
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => scaled(1_000, "k"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

/// Bytes: `831 B`, `12.3 KiB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut tenths = number.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// How long: `12 ms`, `3.4 s`, `2 min 05 s`, `3 h 12 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{}.{} s", seconds, duration.subsec_millis() / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// When, to the second, in the zone of records: `2026-11-21 04:07:00Z`.
pub(crate) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.split('.').next().unwrap_or(&text);
    format!("{}Z", seconds.replace('T', " "))
}

/// Words with commas and an `and` before the last.
pub(crate) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The name most like `name`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_speak_to_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\nb\u{202e}c"), "a\u{fffd}[31mred\u{fffd}\nb\u{fffd}c");
        assert_eq!(shorten("one\ntwo three", 8), "one two…");
        assert_eq!(shorten("お知らせメール", 7), "お知ら…");
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        let scores = [4200, 3000, -1, 0, -2500].map(score);
        assert_eq!(scores, ["4.2", "3", "-0.001", "0", "-2.5"]);
        let fuel = [0, 9_999, 12_345, 1_000_000, 12_345_678, 2_500_000_000].map(large);
        assert_eq!(fuel, ["0", "9999", "12.3k", "1M", "12.3M", "2.5G"]);
        assert_eq!(
            [0, 1023, 1024, 1 << 20, 3 << 29].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.5 GiB"]
        );
        assert_eq!([1.0, 0.25, 1e9, -0.5].map(number), ["1", "0.25", "1000000000", "-0.5"]);
        let times = [12, 3_450, 125_000, 11_520_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(times, ["12 ms", "3.4 s", "2 min 05 s", "3 h 12 min"]);
        assert_eq!(time(Timestamp::from_millis(1_795_234_020_007)), "2026-11-21 04:07:00Z");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }

    #[test]
    fn only_a_near_name_is_offered() {
        assert_eq!(nearest("lib-12", ["LIB-121", "BACK-3"]), Some("LIB-121"));
        assert_eq!(nearest("nothing", ["LIB-121", "BACK-3"]), None);
    }
}
