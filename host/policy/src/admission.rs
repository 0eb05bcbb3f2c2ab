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
    formula::{EvalError, FieldValue, Formula, Inputs, Term},
    policy::{Backlog, FolderSource, Order, Purpose},
    rank,
};

/// How far ahead a score is looked at.
const DAYS_AHEAD: i64 = 31;

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

/// What the formulas say on one day. Where a field that they read is missing, they say nothing: the field's hold does.
struct Verdict {
    eligible: Option<Hold>,
    pipeline: Result<String, Option<Hold>>,
    rank: Result<Rank, Option<Hold>>,
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
        self.judge_and_look(item, supplement, seen, true)
    }

    /// Judges an item for one moment: without looking ahead to the day on which that changes.
    pub fn judge_once(&self, item: &SourceItem, supplement: &Supplement, seen: Seen) -> Admission {
        self.judge_and_look(item, supplement, seen, false)
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

    fn judge_and_look(
        &self,
        item: &SourceItem,
        supplement: &Supplement,
        seen: Seen,
        looks_ahead: bool,
    ) -> Admission {
        let created_at = item.created_at.unwrap_or(seen.first);
        let standing = self.refine_standing(item, supplement, created_at);
        let said = Said { item, set: &supplement.set, refined: standing.data() };
        let Extracted { values, holds: field_holds, unknown } =
            fields::extract(&self.fields, said, &self.zone);
        let mut snapshot = snapshot(item, created_at, &values);
        if !standing.is_over() {
            self.strip_refined(&mut snapshot);
        }
        let revision = snapshot.revision();
        let basis = if self.refine.is_some() { self.basis(&snapshot) } else { revision };
        let links = self.links(item);
        if item.closed {
            let reason = "its tracker says that it is closed".to_owned();
            let closed = Hold { kind: HoldKind::Closed, subject: String::new(), reason, until: None };
            return Admission {
                snapshot,
                revision,
                basis,
                holds: vec![closed],
                links,
                pipeline: None,
                rank: None,
                refine: None,
                due: None,
            };
        }
        let broken: BTreeSet<&str> = field_holds.iter().map(|hold| hold.subject.as_str()).collect();
        let judge = Judge { backlog: self, broken: &broken, unknown: &unknown };
        let inputs = self.inputs(item, &values, created_at, seen.now);
        let today = judge.verdict(&inputs);
        let changes_in = if looks_ahead { judge.days_until_change(&today, &inputs) } else { None };
        let due = changes_in.and_then(|days| self.midnight(seen.now, days));
        // What does not enter, or is not to be worked on, is not looked at more closely.
        let stays_out = today.eligible.is_some() || item.shelf == Shelf::OnHold;
        let refine_hold = if stays_out { None } else { self.refine_hold(&standing) };
        let is_refined = refine_hold.is_none() && unknown.is_empty();
        let refine = refine_hold.as_ref().filter(|hold| hold.kind == HoldKind::NotRefined);
        let refine = refine.map(|_| RankKey::new(&[], created_at));
        let mut holds: Vec<Hold> =
            refine_hold.into_iter().chain(today.eligible).chain(field_holds.clone()).collect();
        holds.extend(self.not_before(&values, seen.now));
        holds.extend(on_hold(item));
        holds.extend(today.pipeline.as_ref().err().cloned().flatten());
        holds.extend(today.rank.as_ref().err().cloned().flatten());
        Admission {
            snapshot,
            revision,
            basis,
            holds,
            links,
            pipeline: today.pipeline.ok().filter(|_| is_refined),
            rank: today.rank.ok().filter(|_| is_refined),
            refine,
            due,
        }
    }

    fn links(&self, item: &SourceItem) -> Vec<Link> {
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

struct Judge<'a> {
    backlog: &'a Backlog,
    /// Fields that have a hold of their own.
    broken: &'a BTreeSet<&'a str>,
    /// Fields that refine stages have yet to tell.
    unknown: &'a BTreeSet<String>,
}

impl Judge<'_> {
    fn verdict(&self, inputs: &Inputs<'_>) -> Verdict {
        Verdict { eligible: self.eligible(inputs), pipeline: self.pipeline(inputs), rank: self.rank(inputs) }
    }

    fn eligible(&self, inputs: &Inputs<'_>) -> Option<Hold> {
        let formula = &self.backlog.eligible;
        if self.reads(formula, |field| self.broken.contains(field)) {
            return None;
        }
        match formula.truth(inputs) {
            Ok(true) => None,
            // It needed nothing that is unknown to say so.
            Ok(false) => Some(not_eligible(formula, inputs)),
            Err(_) if self.reads(formula, |field| self.unknown.contains(field)) => None,
            Err(error) => Some(failed("eligible", &error)),
        }
    }

    fn pipeline(&self, inputs: &Inputs<'_>) -> Result<String, Option<Hold>> {
        for route in &self.backlog.routes {
            let taken = match &route.when {
                None => true,
                Some(formula) if self.reads_broken(formula) => return Err(None),
                Some(formula) => formula.truth(inputs).map_err(|error| Some(failed("pipeline", &error)))?,
            };
            if taken {
                return Ok(route.pipeline.clone());
            }
        }
        let reason = "no pipeline of the backlog takes it: every `when` is false".to_owned();
        Err(Some(Hold { kind: HoldKind::NoPipeline, subject: String::new(), reason, until: None }))
    }

    fn rank(&self, inputs: &Inputs<'_>) -> Result<Rank, Option<Hold>> {
        let reads_broken = match &self.backlog.order {
            Order::Priority(formula) => self.reads_broken(formula),
            Order::By(_) => false,
        };
        if reads_broken {
            return Err(None);
        }
        rank::rank(self.backlog, inputs).map_err(|error| Some(failed("priority", &error)))
    }

    fn reads_broken(&self, formula: &Formula) -> bool {
        self.reads(formula, |field| self.broken.contains(field) || self.unknown.contains(field))
    }

    fn reads(&self, formula: &Formula, is_one: impl Fn(&str) -> bool) -> bool {
        formula.references().fields.iter().any(|field| is_one(field))
    }

    /// Days until age changes anything; the horizon where it may later; none where it never does.
    fn days_until_change(&self, today: &Verdict, inputs: &Inputs<'_>) -> Option<i64> {
        let eligible = self.backlog.eligible.reads_age();
        let pipeline =
            self.backlog.routes.iter().filter_map(|route| route.when.as_ref()).any(Formula::reads_age);
        let score = match &self.backlog.order {
            Order::Priority(formula) => formula.reads_age() && formula.slope_thousandths().is_none(),
            Order::By(_) => false,
        };
        if !(eligible || pipeline || score) {
            return None;
        }
        let changes = |day: &i64| {
            let inputs = Inputs { age_days: inputs.age_days + day, ..inputs.clone() };
            (eligible && identity(self.eligible(&inputs).as_ref()) != identity(today.eligible.as_ref()))
                || (pipeline && route_of(&self.pipeline(&inputs)) != route_of(&today.pipeline))
                || (score && place_of(&self.rank(&inputs)) != place_of(&today.rank))
        };
        Some((1..DAYS_AHEAD).find(changes).unwrap_or(DAYS_AHEAD))
    }
}

/// The part of the formula that says no is the subject; the reason quotes all of it.
fn not_eligible(formula: &Formula, inputs: &Inputs<'_>) -> Hold {
    let part = formula.first_false_part(inputs);
    let because = part.map(|part| format!(", because `{part}` is")).unwrap_or_default();
    Hold {
        kind: HoldKind::NotEligible,
        subject: part.unwrap_or_default().to_owned(),
        reason: format!("`{}` is false{because}", formula.source()),
        until: None,
    }
}

/// A hold without the values in its sentence, which may differ each day.
fn identity(hold: Option<&Hold>) -> Option<(HoldKind, &str)> {
    hold.map(|hold| (hold.kind, hold.subject.as_str()))
}

fn route_of(pipeline: &Result<String, Option<Hold>>) -> Result<&str, Option<(HoldKind, &str)>> {
    pipeline.as_ref().map(String::as_str).map_err(|hold| identity(hold.as_ref()))
}

fn place_of(rank: &Result<Rank, Option<Hold>>) -> Result<Option<i64>, Option<(HoldKind, &str)>> {
    rank.as_ref().map(|rank| rank.score_thousandths).map_err(|hold| identity(hold.as_ref()))
}

fn failed(subject: &str, error: &EvalError) -> Hold {
    Hold { kind: HoldKind::Formula, subject: subject.to_owned(), reason: error.to_string(), until: None }
}
