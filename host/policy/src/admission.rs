//! From an item to an entry: what it says, whether it may run, which pipeline takes it and where it stands.
//!
//! Judging is a function of the backlog's policy, the item and the day: the same three give the same [`Admission`], on every
//! host. `due` is the promise that goes with it: until that moment, judging the same item again gives the same holds,
//! pipeline and order, so nobody has to.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_core::{
    Digest, Timestamp,
    entry::{EntryName, EntrySnapshot, Hold, HoldKind, INTERNAL_TRACKER, Link, LinkKind},
    item::{Shelf, SourceItem},
    rank::RankKey,
    refine::Supplement,
};

use crate::{
    fields::{self, Extracted, Said},
    formula::{FieldValue, Inputs, Term},
    policy::{Backlog, FolderSource, Purpose},
    rank,
    verdict::{Judge, Remembered},
};

/// When an item was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// For the first time: its time of writing, where its tracker does not say.
    pub first: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// What a policy says about an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// What the entry says.
    pub snapshot: EntrySnapshot,
    /// The digest of that.
    pub revision: Digest,
    /// The digest of that without what refining adds: [`Backlog::basis`].
    pub basis: Digest,
    /// Why it may not run; empty when policy has nothing against it. Dependencies and persons may.
    pub holds: Vec<Hold>,
    /// What it depends on, aliases applied.
    pub links: Vec<Link>,
    /// The pipeline that takes it.
    pub pipeline: Option<String>,
    /// Its place in the lane; none when a hold says why it has none.
    pub rank: Option<Rank>,
    /// Its place among those that wait to be refined; none when there is nothing to refine.
    pub refine: Option<RankKey>,
    /// Midnight of the first day, at most 31 ahead, on which holds, pipeline or score change by age alone; the last of these
    /// days when they may change later; none when they never do. What lifts at a time of its own says so in its hold.
    pub due: Option<Timestamp>,
}

impl Admission {
    /// Whether policy has nothing against it.
    pub fn is_ready(&self) -> bool {
        self.holds.is_empty()
    }
}

/// An entry's place in its lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Rank {
    /// Sorts as the entry does.
    pub key: RankKey,
    /// The result of the priority formula; none where a backlog is ordered by keys.
    pub score_thousandths: Option<i64>,
    /// The terms of the priority formula; their sum is the score.
    pub terms: Vec<Term>,
}

/// What is found out of an item, of which an [`Admission`] tells.
struct Finding {
    created_at: Timestamp,
    values: BTreeMap<String, FieldValue>,
    is_refined: bool,
    holds: Vec<Hold>,
    pipeline: Option<String>,
    rank: Option<Rank>,
    refine: Option<RankKey>,
    due: Option<Timestamp>,
}

/// What an entry says whose fields have these values.
pub(crate) fn snapshot(
    item: &SourceItem,
    created_at: Timestamp,
    values: &BTreeMap<String, FieldValue>,
) -> EntrySnapshot {
    EntrySnapshot {
        name: item.name.clone(),
        url: item.url.clone(),
        kind: item.kind.clone(),
        title: item.title.clone(),
        body: item.body.clone(),
        author: item.author.clone(),
        labels: item.labels.clone(),
        created_at,
        fields: values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
    }
}

/// What stands among the items on hold is not worked on.
fn on_hold(item: &SourceItem) -> Option<Hold> {
    let place = || item.url.as_deref().unwrap_or(&item.name.tracker);
    (item.shelf == Shelf::OnHold).then(|| Hold {
        kind: HoldKind::OnHold,
        subject: String::new(),
        reason: format!("it is on hold: {}; move it back to have it worked on", place()),
        until: None,
    })
}

impl Backlog {
    /// Judges an item of which nothing is known but what its source says.
    pub fn judge(&self, item: &SourceItem, seen: Seen) -> Admission {
        self.judge_with(item, &Supplement::default(), seen)
    }

    /// Judges an item with what people and refine runs said of it.
    pub fn judge_with(&self, item: &SourceItem, supplement: &Supplement, seen: Seen) -> Admission {
        self.admission(item, self.find_out(item, supplement, seen, true, None))
    }

    /// Judges an item for one moment: without looking ahead to the day on which that changes.
    pub fn judge_once(&self, item: &SourceItem, supplement: &Supplement, seen: Seen) -> Admission {
        self.admission(item, self.find_out(item, supplement, seen, false, None))
    }

    /// Judges an item with what people and refine runs said of it, one of many that are judged one after the other.
    pub fn judge_one_of_many(
        &self,
        item: &SourceItem,
        supplement: &Supplement,
        seen: Seen,
        remembered: &mut Remembered,
    ) -> Admission {
        self.admission(item, self.find_out(item, supplement, seen, true, Some(remembered)))
    }

    /// The pipeline of an item and its place at one moment, of many that are judged one after the other; none when policy has
    /// something against it.
    pub fn place_one_of_many(
        &self,
        item: &SourceItem,
        supplement: &Supplement,
        seen: Seen,
        remembered: &mut Remembered,
    ) -> Option<(String, Rank)> {
        let found = self.find_out(item, supplement, seen, false, Some(remembered));
        let is_ready = found.holds.is_empty();
        found.pipeline.zip(found.rank).filter(|_| is_ready)
    }

    /// What formulas read of an item.
    pub(crate) fn inputs<'a>(
        &'a self,
        item: &'a SourceItem,
        values: &'a BTreeMap<String, FieldValue>,
        created: Timestamp,
        now: Timestamp,
    ) -> Inputs<'a> {
        Inputs {
            key: &item.name.key,
            kind: &item.kind,
            title: &item.title,
            labels: &item.labels,
            author: item.author.as_deref().unwrap_or_default(),
            tracker: &item.name.tracker,
            backlog: &self.name,
            created,
            age_days: self.age_days(created, now),
            fields: values,
        }
    }

    fn find_out(
        &self,
        item: &SourceItem,
        supplement: &Supplement,
        seen: Seen,
        looks_ahead: bool,
        remembered: Option<&mut Remembered>,
    ) -> Finding {
        let created_at = item.created_at.unwrap_or(seen.first);
        let standing = self.refine_standing(item, supplement, created_at);
        let said = Said { item, set: &supplement.set, refined: standing.data() };
        let Extracted { values, holds: field_holds, unknown } =
            fields::extract(&self.fields, said, &self.zone);
        if item.closed {
            let reason = "its tracker says that it is closed".to_owned();
            let closed = Hold { kind: HoldKind::Closed, subject: String::new(), reason, until: None };
            return Finding {
                created_at,
                values,
                is_refined: standing.is_over(),
                holds: vec![closed],
                pipeline: None,
                rank: None,
                refine: None,
                due: None,
            };
        }
        let broken: BTreeSet<&str> = field_holds.iter().map(|hold| hold.subject.as_str()).collect();
        let judge = Judge { backlog: self, broken: &broken, unknown: &unknown };
        let inputs = self.inputs(item, &values, created_at, seen.now);
        let (today, changes_in) = judge.judge(&inputs, looks_ahead, remembered);
        let rank = today.score.clone().map(|score| rank::place(self, score, &inputs));
        let due = changes_in.and_then(|days| self.midnight(seen.now, days));
        // What does not enter, or is not to be worked on, is not looked at more closely.
        let stays_out = today.eligible.is_some() || item.shelf == Shelf::OnHold;
        let refine_hold = if stays_out { None } else { self.refine_hold(&standing) };
        let has_lane = refine_hold.is_none() && unknown.is_empty();
        let refine = refine_hold.as_ref().filter(|hold| hold.kind == HoldKind::NotRefined);
        let refine = refine.map(|_| RankKey::new(&[], created_at));
        let mut holds: Vec<Hold> = refine_hold.into_iter().chain(today.eligible.clone()).collect();
        holds.extend(field_holds);
        holds.extend(self.not_before(&values, seen.now));
        holds.extend(on_hold(item));
        holds.extend(today.pipeline.as_ref().err().cloned().flatten());
        holds.extend(rank.as_ref().err().cloned().flatten());
        Finding {
            created_at,
            values,
            is_refined: standing.is_over(),
            holds,
            pipeline: today.pipeline.as_ref().ok().filter(|_| has_lane).cloned(),
            rank: rank.ok().filter(|_| has_lane),
            refine,
            due,
        }
    }

    fn admission(&self, item: &SourceItem, found: Finding) -> Admission {
        let Finding { created_at, values, is_refined, holds, pipeline, rank, refine, due } = found;
        let mut snapshot = snapshot(item, created_at, &values);
        if !is_refined {
            self.strip_refined(&mut snapshot);
        }
        let revision = snapshot.revision();
        let basis = if self.refine.is_some() { self.basis(&snapshot) } else { revision };
        Admission { snapshot, revision, basis, holds, links: self.links(item), pipeline, rank, refine, due }
    }

    /// What an item depends on, aliases applied.
    pub fn links(&self, item: &SourceItem) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for dependency in &item.depends {
            let written = dependency.key.trim();
            let to = self.dependency(item, written);
            if to.key.is_empty() || links.iter().any(|link| link.to == to) {
                continue;
            }
            links.push(Link {
                kind: LinkKind::DependsOn,
                written: (to.key != written).then(|| written.to_owned()),
                to,
                source: dependency.source.clone(),
            });
        }
        links
    }

    /// What an item depends on that says so in these words: a key, or `TRACKER#KEY` with the tracker of a source of the backlog.
    pub(crate) fn dependency(&self, item: &SourceItem, written: &str) -> EntryName {
        let internal = self.internal.then(|| INTERNAL_TRACKER.to_owned());
        let named = self.sources.iter().map(FolderSource::tracker).chain(internal).find_map(|tracker| {
            let key = written.strip_prefix(&tracker)?.strip_prefix('#')?;
            Some((tracker, key))
        });
        let (tracker, key) = named.unwrap_or_else(|| (item.name.tracker.clone(), written));
        let key = self.depends.resolve(key).unwrap_or_else(|| key.to_owned());
        EntryName { tracker, key }
    }

    fn not_before(&self, values: &BTreeMap<String, FieldValue>, now: Timestamp) -> Vec<Hold> {
        let hold = |(name, value): (&String, &FieldValue)| match value {
            FieldValue::Time(time) if self.fields[name].purpose == Purpose::Constraint && *time > now => {
                Some(Hold {
                    kind: HoldKind::NotBefore,
                    subject: name.clone(),
                    reason: format!("not before {time}, says `{name}`"),
                    until: Some(*time),
                })
            }
            _ => None,
        };
        values.iter().filter_map(hold).collect()
    }
}
