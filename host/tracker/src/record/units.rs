//! Quantities as people read them.

use std::time::Duration;

use tollgate_core::Digest;

/// `12 ms`, `3.4 s`, `2 min 05 s`, `1 h 02 min`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{}.{} s", seconds, time.subsec_millis() / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Fuel and tokens: `950`, `12.3 k`, `4.5 M`, `1.2 G`.
pub(super) fn large(units: u64) -> String {
    let scaled =
        |divisor: u64, sign: &str| format!("{}.{} {sign}", units / divisor, units % divisor * 10 / divisor);
    match units {
        0..1_000 => units.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

/// `950 B`, `12.3 KiB`, `4.5 MiB`.
pub(super) fn bytes(count: u64) -> String {
    let scaled =
        |divisor: u64, sign: &str| format!("{}.{} {sign}", count / divisor, count % divisor * 10 / divisor);
    match count {
        0..1_024 => format!("{count} B"),
        1_024..1_048_576 => scaled(1_024, "KiB"),
        _ => scaled(1_048_576, "MiB"),
    }
}

/// Thousandths as a decimal number without needless zeros.
pub(super) fn thousandths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / 1000, value.unsigned_abs() % 1000);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{rest:03}").trim_end_matches('0'))
}

/// Enough of a digest for people; the JSON has all of it.
pub(super) fn digest(digest: &Digest) -> String {
    format!("`{}`", digest.short())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        let durations = [12, 3_450, 125_000, 3_725_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(durations, ["12 ms", "3.4 s", "2 min 05 s", "1 h 02 min"]);
        assert_eq!([950, 12_345, 4_500_000, 1_299_999_999].map(large), ["950", "12.3 k", "4.5 M", "1.2 G"]);
        assert_eq!([950, 12_595, 4_718_592].map(bytes), ["950 B", "12.2 KiB", "4.5 MiB"]);
        assert_eq!([0, 4_000, 4_250, -1_500].map(thousandths), ["0", "4", "4.25", "-1.5"]);
    }
}
