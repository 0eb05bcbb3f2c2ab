//! Words, and finding phrases of whole words.

use std::collections::BTreeMap;

/// How long a text is in words; scripts without spaces count about as many as a translation would have.
pub fn word_count(text: &str) -> usize {
    let length = |word: &str| {
        if word.is_ascii() { 1 } else { word.chars().filter(|c| *c > '\u{2e7f}').count().div_ceil(3).max(1) }
    };
    words(text).map(length).sum()
}

/// The words of a text: runs of letters and digits. "user-friendly" is two.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// A word in the form in which words are compared.
pub fn fold(word: &str) -> String {
    if word.is_ascii() { word.to_ascii_lowercase() } else { word.to_lowercase() }
}

/// One or more words in a row, compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    words: Vec<String>,
}

impl Phrase {
    /// The phrase these words make.
    pub fn new(text: &str) -> Self {
        Phrase { words: words(text).map(fold).collect() }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Its words, folded.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }
}

/// The words of a text by where they stand, so that many phrases are found at the price of one reading.
#[derive(Debug, Default)]
pub struct WordIndex {
    words: Vec<String>,
    places: BTreeMap<String, Vec<usize>>,
}

impl WordIndex {
    /// Adds a text; a phrase is never found across two of them.
    pub fn add(&mut self, text: &str) {
        for word in words(text) {
            let word = fold(word);
            self.places.entry(word.clone()).or_default().push(self.words.len());
            self.words.push(word);
        }
        self.words.push(String::new());
    }

    /// The index of one text.
    pub fn of(text: &str) -> Self {
        let mut index = WordIndex::default();
        index.add(text);
        index
    }

    /// Whether all words of the phrase stand somewhere in a row.
    pub fn contains(&self, phrase: &Phrase) -> bool {
        let Some(first) = phrase.words.first() else { return false };
        let length = phrase.words.len();
        self.places.get(first).is_some_and(|places| {
            places
                .iter()
                .any(|at| self.words.get(*at..at + length).is_some_and(|found| found == phrase.words))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, phrase: &str, found: bool) {
        assert_eq!(WordIndex::of(text).contains(&Phrase::new(phrase)), found, "{phrase:?} in {text:?}");
    }

    #[test]
    fn phrases_are_found_as_whole_words_in_any_case() {
        check("A CRASH on start", "crash", true);
        check("It crashes", "crash", false);
        check("Make it user-friendly.", "user friendly", true);
        check("the user was friendly", "user friendly", false);
        check("Größe ändern", "GRÖSSE", false);
        check("Größe ändern", "größe", true);
        check("anything", "", false);
        check("", "crash", false);
    }

    #[test]
    fn a_phrase_does_not_reach_over_two_texts() {
        let mut index = WordIndex::default();
        index.add("out of");
        index.add("memory");
        assert!(!index.contains(&Phrase::new("out of memory")));
    }
}
