//! Which criterion proves which requirement.
//!
//! The title asks for all of the work, so every criterion proves the first requirement. It proves another one too if
//! the two share enough words that carry meaning.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_text::spec::StatementId;
use tollgate_text::{fold, vague_words, words};

use crate::statement::{Acceptance, Requirement};

/// The least number of shared words for which a criterion is taken to speak of a requirement.
const SHARED_WORDS_MIN: usize = 2;

/// A word that stands in more requirements than this tells none of them from the others.
const REQUIREMENTS_OF_A_WORD_MAX: usize = 20;

/// Fills in what each criterion proves. A requirement that none proves becomes its own criterion, if it can be
/// checked as it stands.
pub(crate) fn link(requirements: &[Requirement], criteria: &mut Vec<Acceptance>) {
    let index = Index::of(requirements);
    let mut proven = BTreeSet::new();
    for criterion in criteria.iter_mut() {
        let about = index.spoken_of(criterion);
        proven.extend(about.iter().copied());
        criterion.proves = about.into_iter().map(|at| requirements[at].id).collect();
    }
    for (at, requirement) in requirements.iter().enumerate().skip(1) {
        if proven.contains(&at) || !vague_words(&requirement.quote.text, &[]).is_empty() {
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

/// Requirements by their words, so that a criterion is not held against each of them.
struct Index {
    /// How many words of meaning each has.
    lengths: Vec<usize>,
    by_word: BTreeMap<String, Vec<usize>>,
    by_key: BTreeMap<String, usize>,
}

impl Index {
    fn of(requirements: &[Requirement]) -> Self {
        let mut index = Index { lengths: Vec::new(), by_word: BTreeMap::new(), by_key: BTreeMap::new() };
        for (at, requirement) in requirements.iter().enumerate() {
            let meaning = meaning(&requirement.quote.text);
            index.lengths.push(meaning.len());
            index.by_key.insert(requirement.quote.key(), at);
            for word in meaning {
                index.by_word.entry(word).or_default().push(at);
            }
        }
        index.by_word.retain(|_, places| places.len() <= REQUIREMENTS_OF_A_WORD_MAX);
        index
    }

    /// The requirements that a criterion speaks of, in order. What holds for every item speaks of the whole alone.
    fn spoken_of(&self, criterion: &Acceptance) -> BTreeSet<usize> {
        let mut about = BTreeSet::from([0]);
        about.extend(self.by_key.get(&criterion.quote.key()));
        if criterion.common {
            return about;
        }
        let meaning = meaning(&criterion.quote.text);
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for at in meaning.iter().filter_map(|word| self.by_word.get(word)).flatten() {
            *shared.entry(*at).or_default() += 1;
        }
        let enough = shared.into_iter().filter(|(at, count)| {
            *count >= SHARED_WORDS_MIN && count * 3 >= meaning.len().min(self.lengths[*at])
        });
        about.extend(enough.map(|(at, _)| at));
        about
    }
}

/// The longer words of a text; short ones are mostly grammar.
fn meaning(text: &str) -> BTreeSet<String> {
    let carries = |word: &String| word.chars().count() > 4 || word.bytes().any(|byte| byte.is_ascii_digit());
    words(text).map(fold).filter(carries).collect()
}
