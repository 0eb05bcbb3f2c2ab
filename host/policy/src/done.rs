//! What says that the work of an item was done before Tollgate: a rule, what the work leaves behind, or both.

use tollgate_core::item::SourceItem;

use crate::{
    admission::Seen,
    fields::{self, Said},
    formula::Formula,
    policy::Backlog,
};

/// The rule of a backlog by which earlier work is found.
#[derive(Debug, Clone)]
pub struct Done {
    /// True for an item whose work was done.
    pub when: Option<Formula>,
    /// True for an item of which that is doubtful.
    pub doubt: Option<Formula>,
    /// The file that the work leaves behind, relative to the project; `{key}` stands for the item's key.
    pub file: Option<String>,
}

/// What the rule says of an item, as far as it can be said without looking at files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DoneWord {
    /// What `when` says; none where there is none.
    pub when: Option<bool>,
    /// Whether `doubt` is true.
    pub is_doubtful: bool,
    /// The file to look for, relative to the project.
    pub file: Option<String>,
}

impl Backlog {
    /// What the backlog's rule says of an item; none where the backlog has no rule.
    ///
    /// # Errors
    ///
    /// When a formula has no result for the item, or its key can be in no file's name; says why.
    pub fn says_done(&self, item: &SourceItem, seen: Seen) -> Option<Result<DoneWord, String>> {
        self.done.as_ref().map(|done| self.word(done, item, seen))
    }

    fn word(&self, done: &Done, item: &SourceItem, seen: Seen) -> Result<DoneWord, String> {
        let values = fields::extract(&self.fields, Said::by_source(item), &self.zone).values;
        let inputs = self.inputs(item, &values, item.created_at.unwrap_or(seen.first), seen.now);
        let truth = |formula: &Option<Formula>| {
            let truth = formula.as_ref().map(|formula| formula.truth(&inputs));
            truth.transpose().map_err(|error| error.to_string())
        };
        Ok(DoneWord {
            when: truth(&done.when)?,
            is_doubtful: truth(&done.doubt)?.unwrap_or(false),
            file: done.file.as_deref().map(|file| file_of(file, &item.name.key)).transpose()?,
        })
    }
}

fn file_of(template: &str, key: &str) -> Result<String, String> {
    if key.contains(['/', '\\', '\0']) || key.starts_with('.') {
        return Err(format!("`{key}` can be no part of a file's name, so `{template}` cannot be looked for"));
    }
    Ok(template.replace("{key}", key))
}
