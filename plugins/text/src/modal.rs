//! Words that oblige.

use crate::words::{fold, words};

const MODALS: &[&str] = &["must", "shall", "should", "will", "muss", "müssen", "soll", "sollen", "sollte"];

/// Words that oblige when another follows: "has to", "needs to".
const BEFORE_TO: &[&str] = &["has", "have", "need", "needs", "required", "ought"];

/// The words of a text that oblige, in order, without regard to what stands in code spans.
pub fn modals(text: &str) -> Vec<String> {
    let prose = outside_code(text);
    let all: Vec<String> = words(&prose).map(fold).collect();
    let mut found = Vec::new();
    for (at, word) in all.iter().enumerate() {
        let followed_by_to = all.get(at + 1).is_some_and(|next| next == "to");
        if MODALS.contains(&word.as_str()) || (followed_by_to && BEFORE_TO.contains(&word.as_str())) {
            found.push(word.clone());
        }
    }
    found
}

/// Whether a sentence asks for something: it has a word that obliges, or a Japanese form that does, and is no
/// question.
pub fn obliges(sentence: &str) -> bool {
    let sentence = sentence.trim_end();
    if sentence.ends_with(['?', '？']) {
        return false;
    }
    modals(sentence).iter().any(|modal| modal != "will")
        || ["こと。", "なければならない", "必要がある"].iter().any(|form| sentence.contains(form))
}

/// The text with its code spans blanked.
pub fn outside_code(text: &str) -> String {
    let mut prose = String::with_capacity(text.len());
    for (part, span) in text.split('`').enumerate() {
        prose.push_str(if part % 2 == 0 { span } else { " " });
    }
    prose
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modals_are_whole_words_outside_of_code() {
        assert_eq!(modals("It must do this and should do that"), ["must", "should"]);
        assert_eq!(modals("It needs to run; it has two parts"), ["needs"]);
        assert_eq!(modals("`must` is a mustard"), Vec::<String>::new());
    }

    #[test]
    fn a_question_obliges_nobody() {
        assert!(obliges("The list must be sorted."));
        assert!(obliges("一覧は日付順に並べること。"));
        assert!(!obliges("Should the list be sorted?"));
        assert!(!obliges("This will be nice."));
    }
}
