//! What a model proposes beyond what the entry says.
//!
//! A proposal is marked as one wherever it stands, with the name of the model, and changes nothing that the entry says: it
//! adds criteria behind the entry's own, and boundaries and questions.

use std::collections::BTreeSet;

use serde::Deserialize;
use tollgate_text::spec::{Series, ids};

use crate::draft::Draft;
use crate::question::{About, Question};
use crate::statement::{Acceptance, Quote, key};

/// Everything that is proposed for one specification.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Proposals {
    /// How it could be seen that a requirement holds.
    #[serde(default)]
    pub(crate) criteria: Vec<ProposedCriterion>,
    /// What could be no part of the work.
    #[serde(default)]
    pub(crate) out_of_scope: Vec<String>,
    /// What a person should be asked.
    #[serde(default)]
    pub(crate) questions: Vec<String>,
}

/// A proposed acceptance criterion.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ProposedCriterion {
    /// What has to be seen.
    pub(crate) text: String,
    /// The requirements that it proves, such as `REQ-1`.
    pub(crate) proves: Vec<String>,
}

impl Draft {
    /// Adds what is proposed and not said yet; how much that is. What names no requirement of the draft is left out.
    pub(crate) fn propose(&mut self, proposals: &Proposals, by: &str) -> usize {
        let source = format!("proposed by {by}");
        let mut said: BTreeSet<String> =
            self.criteria.iter().map(|criterion| criterion.quote.key()).collect();
        said.extend(self.material.out_of_scope.iter().map(Quote::key));
        said.extend(self.questions.iter().map(|question| key(&question.text)));
        let mut is_new = |text: &str| !key(text).is_empty() && said.insert(key(text));
        let mut added = 0;
        for proposed in &proposals.criteria {
            let text = one_line(&proposed.text);
            let named: BTreeSet<_> = proposed.proves.iter().flat_map(|named| ids(named)).collect();
            let is_known = |id: &_| self.requirements.iter().any(|requirement| requirement.id == *id);
            let proves: Vec<_> =
                named.into_iter().filter(|id| id.series == Series::Requirement && is_known(id)).collect();
            if !proves.is_empty() && is_new(&text) {
                let next = self.criteria.iter().map(|criterion| criterion.id.number).max().unwrap_or(0) + 1;
                self.criteria.push(Acceptance::proposed(next, Quote::of(&text, &source), proves));
                added += 1;
            }
        }
        for text in proposals.out_of_scope.iter().map(|text| one_line(text)) {
            if is_new(&text) {
                self.material.out_of_scope.push(Quote::of(&text, &source));
                added += 1;
            }
        }
        for text in proposals.questions.iter().map(|text| one_line(text)) {
            if is_new(&text) {
                self.add_question(Question { about: About::Proposal(by.to_string()), text });
                added += 1;
            }
        }
        if added > 0 {
            self.proposed_by = Some(by.to_string());
        }
        added
    }
}

/// Text that somebody else wrote, as it may stand in a list.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
