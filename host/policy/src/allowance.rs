//! What people allow a run beyond its pipeline, as they write it: `fuel=3G`, `time=30s`, `cost=$0.20`.

use tollgate_core::approval::Allowance;

use crate::units;

/// Reads one amount.
///
/// # Errors
///
/// A sentence that says what was expected.
pub fn parse(text: &str) -> Result<Allowance, String> {
    let none = Allowance::default();
    let (what, amount) = text.split_once('=').unwrap_or((text, ""));
    match what {
        "fuel" => {
            units::fuel(amount).map(|fuel| Allowance { fuel, ..none }).map_err(|error| error.to_string())
        }
        "time" => units::positive_duration(amount)
            .map(|time| Allowance { time, ..none })
            .map_err(|error| error.to_string()),
        "cost" => amount.parse().map(|cost| Allowance { cost, ..none }).map_err(|error| format!("{error}")),
        _ => Err("expected `fuel=3G`, `time=30s` or `cost=$0.20`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_it_is_written() {
        for text in ["fuel=3G", "fuel=1.25M", "time=30s", "time=1500ms", "cost=$0.20"] {
            assert_eq!(parse(text).map(|allowance| allowance.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_could_be_misread_is_refused() {
        for text in ["", "fuel", "fuel=", "3G", "fuel=0", "time=0s", "time=30", "cost=0.20", "memory=1MiB"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }
}
