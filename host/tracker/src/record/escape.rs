//! Text of items and plugins, made harmless.

/// The text on one line and at most `chars_max` characters long, with nothing in it that Markdown or HTML would act on but
/// short code between single backticks. Characters that change the direction of writing or are no text are replaced.
pub(super) fn text(written: &str, chars_max: usize) -> String {
    let line = one_line(written);
    let mut escaped = String::with_capacity(line.len());
    let mut room = chars_max;
    let mut rest = line.as_str();
    while let Some(first) = rest.chars().next() {
        let after_backtick = rest.len() < line.len() && line[..line.len() - rest.len()].ends_with('`');
        let (piece, taken) = match code_span(rest).filter(|_| !after_backtick) {
            Some(span) => (span.to_owned(), span.len()),
            None => (escaped_char(first), first.len_utf8()),
        };
        let length = piece.chars().count();
        if length >= room && !(length == room && taken == rest.len()) {
            escaped.push('…');
            break;
        }
        room -= length;
        escaped.push_str(&piece);
        rest = &rest[taken..];
    }
    escaped
}

fn escaped_char(c: char) -> String {
    match c {
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '&' => "&amp;".to_owned(),
        '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => format!("\\{c}"),
        c => c.to_string(),
    }
}

/// The code that a text begins with, where no table or HTML could see anything in it.
fn code_span(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('`')?;
    let end = inner.find('`').filter(|&end| end > 0)?;
    let plain = !inner[..end].contains(['|', '<', '>', '&', '\\']);
    (plain && !inner[end + 1..].starts_with('`')).then(|| &text[..end + 2])
}

/// A name in type of its own, as text where it contains what would end that.
pub(super) fn code(written: &str) -> String {
    const NAME_CHARS_MAX: usize = 200;
    let line = one_line(written);
    if line.is_empty() || line.contains(['`', '|', '<', '>', '&']) || line.chars().count() > NAME_CHARS_MAX {
        return text(&line, NAME_CHARS_MAX);
    }
    format!("`{line}`")
}

fn one_line(written: &str) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let words = written.split_whitespace().map(|word| word.replace(is_odd, "\u{fffd}"));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_acted_on() {
        let written = "a <!-- tollgate:end --> b\n\n# [c](d) | `e` *f* @g";
        assert_eq!(text(written, 99), r"a &lt;!-- tollgate:end --&gt; b # \[c\](d) \| `e` \*f\* @g");
        assert_eq!(text("`a|b` ``c`` `<!--", 99), r"\`a\|b\` \`\`c\`\` \`&lt;!--");
        assert_eq!(text("\u{202e}txt.exe\u{7}", 99), "\u{fffd}txt.exe\u{fffd}");
        assert_eq!([4, 3, 2].map(|most| text("äöüß", most)), ["äöüß", "äö…", "ä…"]);
    }

    #[test]
    fn names_stand_in_type_of_their_own() {
        assert_eq!(code("SPEC-001"), "`SPEC-001`");
        assert_eq!(code("a_b  c"), "`a_b c`");
        assert_eq!(code("a`b|c"), r"a\`b\|c");
    }
}
