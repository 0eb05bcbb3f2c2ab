//! Words that no two people measure alike.

use crate::modal::outside_code;
use crate::words::{Phrase, fold, words};

/// A vague word and how it is written in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vague {
    /// The word or phrase, in lower case.
    pub word: String,
}

#[rustfmt::skip]
const VAGUE: &[&str] = &[
    "adequate", "adequately", "appropriate", "appropriately", "as appropriate", "as fast as possible",
    "as needed", "as possible", "and so on", "better", "clean", "convenient", "easily", "easy", "efficient",
    "efficiently", "elegant", "etc", "fast", "faster", "flexible", "friendly", "good", "graceful", "gracefully",
    "handle properly", "high quality", "if possible", "intelligently", "intuitive", "intuitively", "lightweight",
    "modern", "nice", "nicely", "optimal", "performant", "pleasant", "properly", "quick", "quickly", "reasonable",
    "reasonably", "robust", "robustly", "scalable", "seamless", "seamlessly", "sensible", "sensibly", "simple",
    "slick", "smooth", "smoothly", "snappy", "state of the art", "sufficient", "sufficiently", "sleek",
    "user friendly", "where applicable", "where appropriate",
];

/// The vague words of a sentence that no number follows, longest phrase first at each place; `more` are added to
/// the known ones. What stands in code spans and quotation marks names something and is not judged.
///
/// "loads fast" is vague; "loads fast, in under 200 ms" is not. The number of a ticket measures nothing.
pub fn vague_words(sentence: &str, more: &[Phrase]) -> Vec<Vague> {
    let prose = outside_quotes(&outside_code(sentence));
    let measured_until = last_number(&prose).unwrap_or(0);
    let mut tokens = Vec::new();
    for word in words(&prose) {
        let at = word.as_ptr() as usize - prose.as_ptr() as usize;
        tokens.push((at, fold(word)));
    }
    let mut found = Vec::new();
    let mut next = 0;
    while next < tokens.len() {
        let length = longest_at(&tokens[next..], more);
        if length > 0 && tokens[next].0 >= measured_until {
            let word: Vec<&str> = tokens[next..next + length].iter().map(|(_, word)| word.as_str()).collect();
            found.push(Vague { word: word.join(" ") });
        }
        next += length.max(1);
    }
    found
}

/// How many of the first words make the longest known phrase.
fn longest_at(tokens: &[(usize, String)], more: &[Phrase]) -> usize {
    let known = VAGUE.iter().map(|phrase| prefix_length(tokens, phrase.split(' ')));
    let added = more.iter().map(|phrase| prefix_length(tokens, phrase.words()));
    known.chain(added).max().unwrap_or(0)
}

fn prefix_length<'a>(tokens: &[(usize, String)], phrase: impl Iterator<Item = &'a str>) -> usize {
    let mut length = 0;
    for word in phrase {
        match tokens.get(length) {
            Some((_, token)) if token == word => length += 1,
            _ => return 0,
        }
    }
    length
}

/// Where the last number begins that can measure something: not part of a name such as `#12`, `BACK-3` or `v2`.
fn last_number(text: &str) -> Option<usize> {
    let mut last = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let begins =
            c.is_ascii_digit() && !before.is_alphanumeric() && !matches!(before, '#' | '-' | '_' | '/' | '.');
        if begins {
            last = Some(at);
        }
        before = c;
    }
    last
}

/// The text with what stands between double quotation marks blanked.
fn outside_quotes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['"', '“', '„']) {
        let mark = rest[open..].chars().next().map_or(1, char::len_utf8);
        let Some(close) = rest[open + mark..].find(['"', '”', '“']) else { break };
        kept.push_str(&rest[..open]);
        kept.push(' ');
        let after = open + mark + close;
        let closing = rest[after..].chars().next().map_or(1, char::len_utf8);
        rest = &rest[after + closing..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sentence: &str, expected: &[&str]) {
        let found: Vec<String> = vague_words(sentence, &[]).into_iter().map(|vague| vague.word).collect();
        assert_eq!(found, expected, "{sentence}");
    }

    #[test]
    fn a_vague_word_is_one_that_no_number_follows() {
        check("The page loads fast.", &["fast"]);
        check("The page loads fast, in under 200 ms.", &[]);
        check("In 2 steps the page loads fast.", &["fast"]);
        check("The page loads fast (see #12 and BACK-3).", &["fast"]);
        check("Make it user-friendly and intuitive", &["user friendly", "intuitive"]);
        check("As fast as possible", &["as fast as possible"]);
        check("Breakfast is served", &[]);
        check("The button says \"Quick add\" and runs `fast()`", &[]);
        check("Das Menü sagt „Easy“ 12-mal", &[]);
        check("unclosed \" fast", &["fast"]);
    }

    #[test]
    fn a_team_adds_words_of_its_own() {
        let more = [Phrase::new("World-class")];
        assert_eq!(vague_words("A world class search", &more), [Vague { word: "world class".to_string() }]);
    }
}
