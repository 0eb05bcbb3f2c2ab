//! What is known of an entry beyond what its source says of it: what people set, and what its refine run found.
//!
//! A refine run holds for what its stages were handed: as long as an entry says the same in the parts that they read, and the
//! policy asks the same of them, it is not refined again. A new version of a plugin that fits what was asked for is no reason to.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, RunId, Timestamp, entry::EntrySnapshot, pipeline::Pipeline};

/// The name of the pipeline that the refine stages of a backlog make.
pub const PIPELINE: &str = "refine";

/// What is known of an entry beyond what its source says of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Supplement {
    /// Fields that people set, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, SetField>,
    /// What became of its newest refine run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refinement: Option<Refinement>,
}

/// A field that a person set. It wins over what the source says and what refine runs find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SetField {
    /// To what.
    pub value: Value,
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// What became of a refine run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refinement {
    /// The run.
    pub run: RunId,
    /// When it ended.
    pub at: Timestamp,
    /// What its stages were asked: [`asked`].
    pub asked: Digest,
    /// The parts of an entry that its stages read; `*` is all of it.
    pub reads: BTreeSet<String>,
    /// The digest of these parts of the entry.
    pub handed: Digest,
    /// What came of it.
    pub found: Found,
}

/// What came of a refine run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// The data of each stage, by its name.
    Data(BTreeMap<String, Value>),
    /// It did not end well, and a person has to look.
    Nothing {
        /// A sentence: why.
        reason: String,
    },
}

impl Refinement {
    /// Whether it holds for an entry that says this, beside what refining adds, where the policy asks this.
    pub fn holds_for(&self, asked: Digest, entry: &EntrySnapshot) -> bool {
        self.asked == asked && self.handed == handed(entry, &self.reads)
    }
}

/// The digest of what stages that read these parts are handed of an entry.
pub fn handed(entry: &EntrySnapshot, reads: &BTreeSet<String>) -> Digest {
    Digest::of_json(&entry.part(|part| reads.contains("*") || reads.contains(part)))
}

/// The digest of what refine stages are asked: which plugins, as the policy names them, with which settings.
pub fn asked(pipeline: &Pipeline) -> Digest {
    let stages = pipeline.stages.iter().map(|stage| (&stage.name, &stage.plugin, &stage.settings));
    Digest::of_json(&stages.collect::<Vec<_>>())
}

/// What of a stage's data a field can be read from. Of a list of records no field is made: its first item stays, so that whoever
/// reads it there is told what it is.
pub fn for_fields(data: Value) -> Value {
    match data {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, for_fields(value))).collect())
        }
        Value::Array(mut items) => {
            if items.iter().any(|item| item.is_array() || item.is_object()) {
                items.truncate(1);
            }
            Value::Array(items.into_iter().map(for_fields).collect())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::EntryName;

    fn entry(body: &str, team: &str) -> EntrySnapshot {
        EntrySnapshot {
            name: EntryName { tracker: "folder:backlog".into(), key: "LIB-1".into() },
            url: None,
            kind: String::new(),
            title: "Opening hours".into(),
            body: body.into(),
            author: None,
            labels: Vec::new(),
            created_at: Timestamp::default(),
            fields: [("team".to_owned(), json!(team))].into_iter().collect(),
        }
    }

    #[test]
    fn it_holds_as_long_as_the_parts_that_are_read_say_the_same() {
        let reads = BTreeSet::from(["body".to_owned()]);
        let asked = Digest::of("triage@^1");
        let refinement = Refinement {
            run: RunId::generate(),
            at: Timestamp::default(),
            asked,
            handed: handed(&entry("a", "desk"), &reads),
            reads,
            found: Found::Data(BTreeMap::new()),
        };
        assert!(refinement.holds_for(asked, &entry("a", "desk")));
        assert!(refinement.holds_for(asked, &entry("a", "kiosk")), "nobody read the team");
        assert!(!refinement.holds_for(asked, &entry("b", "desk")));
        assert!(!refinement.holds_for(Digest::of("triage@^2"), &entry("a", "desk")));
    }

    #[test]
    fn of_a_list_of_records_the_first_is_enough() {
        let data =
            json!({ "effort": 3, "flags": ["a", "b"], "criteria": [{ "text": "x" }, { "text": "y" }] });
        let kept = json!({ "effort": 3, "flags": ["a", "b"], "criteria": [{ "text": "x" }] });
        assert_eq!(for_fields(data), kept);
    }
}
