//! What refine stages said of an item, and what people said: whether it still holds, and what is made of it.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate_core::{
    Digest, Timestamp,
    entry::{EntrySnapshot, Hold, HoldKind},
    item::SourceItem,
    refine::{Found, Supplement},
};

use crate::{
    admission::snapshot,
    error::did_you_mean,
    fields::{self, FieldReading, Said},
    policy::{Backlog, FieldOrigin},
};

/// How an item stands to the refine stages of its backlog.
pub(crate) enum RefineStanding<'a> {
    /// There are none.
    NoStages,
    /// They have not seen it as it is now.
    Awaited,
    /// They could not find out about it what they should.
    Failed(&'a str),
    /// This is what they found, by stage.
    Refined(&'a BTreeMap<String, Value>),
}

impl<'a> RefineStanding<'a> {
    /// Whether nothing is to be found any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self, Self::NoStages | Self::Refined(_))
    }

    /// What they found.
    pub(crate) fn data(&self) -> Option<&'a BTreeMap<String, Value>> {
        match self {
            Self::Refined(data) => Some(data),
            Self::NoStages | Self::Awaited | Self::Failed(_) => None,
        }
    }
}

impl Backlog {
    /// The digest of what an entry says without the fields that refine stages may find. Done is said of it: that these stages are
    /// asked something else, or find something else, is no reason to do the work again.
    pub fn basis(&self, snapshot: &EntrySnapshot) -> Digest {
        let mut basis = snapshot.clone();
        self.strip_refined(&mut basis);
        basis.revision()
    }

    /// Takes out the fields that refine stages may find: they are handed none of them, so that neither an answer of theirs nor a
    /// person's own is a reason to ask again.
    pub(crate) fn strip_refined(&self, snapshot: &mut EntrySnapshot) {
        let is_refined = |name: &String| {
            let origins = self.fields.get(name).map(|field| field.from.as_slice()).unwrap_or_default();
            origins.iter().any(|origin| matches!(origin, FieldOrigin::Refine { .. }))
        };
        snapshot.fields.retain(|name, _| !is_refined(name));
    }

    /// How an item stands to its refine stages.
    pub(crate) fn refine_standing<'s>(
        &self,
        item: &SourceItem,
        supplement: &'s Supplement,
        created: Timestamp,
    ) -> RefineStanding<'s> {
        let Some(refine) = &self.refine else { return RefineStanding::NoStages };
        let Some(refinement) = &supplement.refinement else { return RefineStanding::Awaited };
        let said = Said { item, set: &supplement.set, refined: None };
        let mut handed = snapshot(item, created, &fields::extract(&self.fields, said, &self.zone).values);
        self.strip_refined(&mut handed);
        match &refinement.found {
            _ if !refinement.holds_for(refine.asked, &handed) => RefineStanding::Awaited,
            Found::Data(data) => RefineStanding::Refined(data),
            Found::Nothing { reason } => RefineStanding::Failed(reason),
        }
    }

    /// Why an item is not judged yet, where refine stages have not said what they should.
    pub(crate) fn refine_hold(&self, standing: &RefineStanding<'_>) -> Option<Hold> {
        let stages = self.refine.iter().flat_map(|refine| &refine.pipeline.stages);
        let names: Vec<_> = stages.map(|stage| format!("`{}`", stage.name)).collect();
        let names = names.join(", then ");
        let (kind, reason) = match standing {
            RefineStanding::NoStages | RefineStanding::Refined(_) => return None,
            RefineStanding::Awaited => (
                HoldKind::NotRefined,
                format!("it is not refined yet; before it is judged it goes through {names}"),
            ),
            RefineStanding::Failed(reason) => {
                (HoldKind::RefineFailed, format!("it could not be refined: {reason}"))
            }
        };
        Some(Hold { kind, subject: String::new(), reason, until: None })
    }

    /// What is known of each declared field of an item, and whose word it is.
    pub fn read_fields(
        &self,
        item: &SourceItem,
        supplement: &Supplement,
        created: Timestamp,
    ) -> Vec<FieldReading> {
        let refined = self.refine_standing(item, supplement, created).data();
        fields::readings(&self.fields, Said { item, set: &supplement.set, refined }, &self.zone)
    }

    /// What a person wrote as a value of one of its fields, as it is kept.
    ///
    /// # Errors
    ///
    /// When there is no such field, or it takes no such value: a sentence, and where there is one, another that helps.
    pub fn field_value(&self, name: &str, written: &str) -> Result<Value, (String, Option<String>)> {
        let Some(field) = self.fields.get(name) else {
            let help = did_you_mean(name, self.fields.keys().map(String::as_str));
            return Err((format!("the backlog {} declares no field `{name}`", self.name), help));
        };
        let value = fields::convert(&written.into(), field.kind, field.values.as_deref(), &self.zone);
        value.map(|value| value.to_json()).map_err(|problem| (format!("`{name}` {problem}"), None))
    }
}
