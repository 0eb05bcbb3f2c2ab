//! Lines that a program wrote and a person pasted.

/// Whether a line looks like a log line or a line of a stack trace. Words in it say nothing about the item.
pub fn is_log_line(line: &str) -> bool {
    let line = line.trim_start();
    starts_with_time(line) || starts_with_level(line) || is_frame(line)
}

/// `2026-03-01T10:00:00`, `[12:00:01]`, `10:00:00.123`, `Mar 01 10:00:00`.
fn starts_with_time(line: &str) -> bool {
    let line = line.trim_start_matches(['[', '(']);
    let head: Vec<&str> = line.split_whitespace().take(3).collect();
    head.iter().position(|word| is_clock(word)).is_some_and(|at| at < 2 || starts_with_month(head[0]))
}

fn is_clock(word: &str) -> bool {
    let clock = word.rsplit('T').next().unwrap_or(word);
    let mut parts = clock.splitn(3, ':');
    let (Some(hours), Some(minutes), Some(seconds)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    two_digits(hours) && two_digits(minutes) && seconds.bytes().take_while(u8::is_ascii_digit).count() >= 2
}

fn starts_with_month(word: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.contains(&word)
}

/// `ERROR something`, `[WARN] something`: capitals only, so that "Error handling is missing" is prose.
fn starts_with_level(line: &str) -> bool {
    let word = line.trim_start_matches('[');
    let word = word.split([' ', ']', ':', '\t']).next().unwrap_or("");
    ["ERROR", "WARN", "WARNING", "INFO", "DEBUG", "TRACE", "FATAL", "PANIC"].contains(&word)
}

fn is_frame(line: &str) -> bool {
    let at = line.strip_prefix("at ").is_some_and(|place| place.contains('(') || place.contains(':'));
    let numbered = line.split_once(": ").is_some_and(|(number, place)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && place.contains("::")
    });
    at || numbered
        || line.starts_with("Traceback (most recent call last)")
        || line.starts_with("File \"")
        || line.starts_with("Caused by:")
        || (line.starts_with("thread '") && line.contains("panicked at"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_wrote_is_told_from_what_a_person_wrote() {
        for line in [
            "2026-03-01T10:00:00Z ERROR crash in pump",
            "[12:00:01] worker: critical failure",
            "2026-03-01 10:00:00,123 security check",
            "Mar 01 10:00:00 host app: crash",
            "[ERROR] vulnerability",
            "    at Parser.parse (src/parser.ts:12:4)",
            "  3: core::panicking::panic",
            "Traceback (most recent call last):",
        ] {
            assert!(is_log_line(line), "{line}");
        }
        for line in
            ["Error handling is missing", "At 10:30 the job stops", "at least one row", "Warning colours", ""]
        {
            assert!(!is_log_line(line), "{line}");
        }
    }
}
