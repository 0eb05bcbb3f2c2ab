//! Which criterion proves which requirement.
//!
//! The title asks for all of the work, so every criterion proves the first requirement. It proves another one too if
//! the two share enough words that carry meaning.

use std::collections::BTreeSet;

use tollgate_text::spec::StatementId;
use tollgate_text::{fold, vague_words, words};

use crate::statement::{Acceptance, Requirement};

/// The least number of shared words for which a criterion is taken to speak of a requirement.
const SHARED_WORDS_MIN: usize = 2;

/// Fills in what each criterion proves. A requirement that none proves becomes its own criterion, if it can be
/// checked as it stands.
pub(crate) fn link(requirements: &[Requirement], criteria: &mut Vec<Acceptance>) {
    let meanings: Vec<BTreeSet<String>> =
        requirements.iter().map(|requirement| meaning(&requirement.quote.text)).collect();
    for criterion in criteria.iter_mut() {
        let own = meaning(&criterion.quote.text);
        let own_key = criterion.quote.key();
        for (at, requirement) in requirements.iter().enumerate() {
            let same = own_key == requirement.quote.key();
            let speaks_of_it = !criterion.common && shares(&own, &meanings[at]);
            if at == 0 || same || speaks_of_it {
                criterion.proves.push(requirement.id);
            }
        }
    }
    let proven: BTreeSet<StatementId> =
        criteria.iter().flat_map(|criterion| criterion.proves.clone()).collect();
    for requirement in requirements.iter().skip(1).filter(|requirement| !proven.contains(&requirement.id)) {
        if !vague_words(&requirement.quote.text, &[]).is_empty() {
            continue;
        }
        let number = u32::try_from(criteria.len() + 1).unwrap_or(u32::MAX);
        criteria.push(Acceptance {
            id: StatementId::criterion(number),
            quote: requirement.quote.clone(),
            details: Vec::new(),
            done: false,
            proves: vec![requirements[0].id, requirement.id],
            from_statement: true,
            common: false,
        });
    }
}

/// The longer words of a text; short ones are mostly grammar.
fn meaning(text: &str) -> BTreeSet<String> {
    words(text)
        .map(fold)
        .filter(|word| word.chars().count() > 4 || word.bytes().any(|byte| byte.is_ascii_digit()))
        .collect()
}

fn shares(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let shared = one.intersection(other).count();
    let smaller = one.len().min(other.len());
    shared >= SHARED_WORDS_MIN && shared * 3 >= smaller
}
