//! What holds of any text whatever.

use proptest::prelude::*;
use tollgate_text::{Document, Form, criteria, sentences, vague_words, words};

/// Text with much of what Markdown and people put into items, so that unlikely neighbours meet.
fn messy() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "## Acceptance Criteria\n",
            "- [ ] ",
            "- [x] #2 ",
            "* ",
            "1. ",
            "  - ",
            "\n",
            "\n\n",
            "```\n",
            "~~~gherkin\n",
            "> ",
            "Given ",
            "When ",
            "Then ",
            "**Expected:** ",
            "Expected: ",
            "<!-- AC:BEGIN -->\n",
            "<!-- AC:END -->\n",
            "<!--",
            "-->",
            "| a | b |\n| - | - |\n",
            "must be fast. ",
            "the list must hold 3 rows. ",
            "\r\n",
            "\t",
            "ü",
            "日本。",
            "“",
            "\"",
            "`",
            "AC-1: ",
            "#",
            "Out of scope:\n",
            "2026-01-01T10:00:00Z ERROR x\n",
            "[x]: y\n",
            "\u{0}",
            "\u{202e}",
        ])
        .prop_map(str::to_string),
        "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Whether all words of `part` stand in `whole` in this order.
fn holds_in_order(whole: &str, part: &str) -> bool {
    let mut rest = words(whole);
    words(part).all(|word| rest.any(|other| other == word))
}

proptest! {
    #[test]
    fn criteria_are_pieces_of_the_text(body in messy()) {
        let document = Document::parse(&body);
        let line_count = u32::try_from(body.matches('\n').count()).unwrap() + 1;
        for criterion in criteria(&document) {
            let source = &body[criterion.range.clone()];
            prop_assert!(!criterion.text.trim().is_empty());
            prop_assert!((1..=line_count).contains(&criterion.line));
            prop_assert!(holds_in_order(source, &criterion.text), "{:?} is not in {:?}", criterion.text, source);
            if matches!(criterion.form, Form::CheckBox | Form::Numbered | Form::Bullet) && !source.contains("<!--") {
                let source: Vec<&str> = source.split_whitespace().collect();
                prop_assert!(source.join(" ").contains(&criterion.text));
            }
        }
    }

    #[test]
    fn blocks_are_pieces_of_the_text_in_order(body in messy()) {
        let document = Document::parse(&body);
        for block in &document.blocks {
            prop_assert!(document.sections.get(block.section).is_some());
            prop_assert!(holds_in_order(&body[block.range.clone()], &block.text));
        }
        prop_assert!(document.blocks.iter().map(|block| block.line).is_sorted());
    }

    #[test]
    fn sentences_lose_nothing_but_white_space(text in "\\PC{0,80}") {
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(squeeze(&sentences(&text).concat()), squeeze(&text));
        for vague in vague_words(&text, &[]) {
            prop_assert!(!vague.word.is_empty());
        }
    }
}
