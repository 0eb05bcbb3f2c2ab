//! Where a sentence ends.

/// Words that end in a full stop and seldom end a sentence.
const ABBREVIATIONS: &[&str] =
    &["e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "incl.", "no.", "z.b.", "bzw.", "ca."];

/// The sentences of a text of one paragraph, trimmed, in order, none of them empty.
///
/// A sentence ends at `.`, `!` or `?` before white space and not before a small letter, so that abbreviations,
/// versions and file names stay whole; and at `。`, `！` and `？` wherever they stand. Code spans are not cut.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut in_code = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let ends = match c {
            '`' => {
                in_code = !in_code;
                false
            }
            _ if in_code => false,
            '。' | '！' | '？' => true,
            '.' | '!' | '?' => {
                chars.peek().is_some_and(|(_, next)| next.is_whitespace())
                    && !continues(&text[end..])
                    && !is_abbreviation(&text[start..end])
            }
            _ => false,
        };
        if ends {
            push(&mut found, &text[start..end]);
            start = end;
        }
    }
    push(&mut found, &text[start..]);
    found
}

fn push<'a>(found: &mut Vec<&'a str>, sentence: &'a str) {
    let sentence = sentence.trim();
    if !sentence.is_empty() {
        found.push(sentence);
    }
}

fn continues(rest: &str) -> bool {
    rest.trim_start().chars().next().is_some_and(char::is_lowercase)
}

fn is_abbreviation(sentence: &str) -> bool {
    let last = sentence.rsplit(char::is_whitespace).next().unwrap_or("");
    let last = last.trim_start_matches(['(', '"', '“']);
    let digits_only = last.len() > 1 && last[..last.len() - 1].bytes().all(|byte| byte.is_ascii_digit());
    let starts_list = digits_only && last.len() == sentence.trim().len();
    starts_list || ABBREVIATIONS.iter().any(|known| last.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(sentences(text), expected);
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        check("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"]);
        check(
            "Use e.g. PostgreSQL 1.2 from pg.conf. Done.",
            &["Use e.g. PostgreSQL 1.2 from pg.conf.", "Done."],
        );
        check("1. Open the app", &["1. Open the app"]);
        check("It is 5. Then stop.", &["It is 5.", "Then stop."]);
        check("Say `a. B` twice. End.", &["Say `a. B` twice.", "End."]);
        check(
            "ログイン後、エラーになる。直してください。",
            &["ログイン後、エラーになる。", "直してください。"],
        );
        check("  ", &[]);
    }
}
