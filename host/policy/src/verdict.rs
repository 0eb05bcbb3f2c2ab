//! What the formulas of a backlog say of an entry on one day, and when they will say something else.
//!
//! Property wanted: the same inputs get the same verdict. So what was found out for some inputs holds for every entry that has the
//! same ([`Remembered`]), and a whole backlog is judged without evaluating a formula for each of its entries.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use tollgate_core::entry::{Hold, HoldKind};

use crate::{
    formula::{EvalError, Formula, Inputs, References},
    policy::{Backlog, Order},
    rank::{self, Score},
};

/// How far ahead a score is looked at.
const DAYS_AHEAD: i64 = 31;

/// Verdicts that are remembered at once: some megabytes.
const REMEMBERED_MAX: usize = 32_768;

/// What is read of an entry that differs from every other: what is said of one holds for no other.
const UNLIKE_ANY_OTHER: [&str; 3] = ["created", "key", "title"];

/// What the formulas say on one day. Where a field that they read is missing, they say nothing: the field's hold does.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) eligible: Option<Hold>,
    pub(crate) pipeline: Result<String, Option<Hold>>,
    /// None where the backlog is ordered by keys.
    pub(crate) score: Result<Option<Score>, Option<Hold>>,
}

/// Verdicts by their inputs, of one policy.
#[derive(Debug, Default)]
pub struct Remembered {
    /// None of a backlog where nothing is gained by it.
    backlogs: HashMap<String, Option<Verdicts>>,
}

/// Verdicts of one backlog.
#[derive(Debug)]
struct Verdicts {
    /// What its formulas read.
    read: References,
    by_inputs: HashMap<Vec<u8>, Arc<Verdict>>,
    /// In how many days each changes.
    changes: HashMap<Vec<u8>, Option<i64>>,
}

impl Remembered {
    fn of(&mut self, backlog: &Backlog) -> Option<&mut Verdicts> {
        if !self.backlogs.contains_key(&backlog.name) {
            let verdicts = worth_remembering(backlog).map(|read| Verdicts {
                read,
                by_inputs: HashMap::new(),
                changes: HashMap::new(),
            });
            self.backlogs.insert(backlog.name.clone(), verdicts);
        }
        self.backlogs.get_mut(&backlog.name)?.as_mut()
    }
}

/// Remembers an answer, and forgets all others where there are too many.
fn remember<T>(answers: &mut HashMap<Vec<u8>, T>, question: Vec<u8>, answer: T) {
    if answers.len() >= REMEMBERED_MAX {
        answers.clear();
    }
    answers.insert(question, answer);
}

/// What the formulas of a backlog read, unless that differs with every entry.
fn worth_remembering(backlog: &Backlog) -> Option<References> {
    let mut read = References::default();
    let priority = match &backlog.order {
        Order::Priority(formula) => Some(formula),
        Order::By(_) => None,
    };
    let routes = backlog.routes.iter().filter_map(|route| route.when.as_ref());
    for formula in routes.chain(priority).chain([&backlog.eligible]) {
        read.builtins.extend(formula.references().builtins.iter().cloned());
        read.fields.extend(formula.references().fields.iter().cloned());
    }
    let is_of_one = UNLIKE_ANY_OTHER.iter().any(|name| read.builtins.contains(*name));
    (!is_of_one).then_some(read)
}

pub(crate) struct Judge<'a> {
    pub(crate) backlog: &'a Backlog,
    /// Fields that have a hold of their own.
    pub(crate) broken: &'a BTreeSet<&'a str>,
    /// Fields that refine stages have yet to tell.
    pub(crate) unknown: &'a BTreeSet<String>,
}

impl Judge<'_> {
    /// The verdict, and in how many days it changes where that is asked.
    pub(crate) fn judge(
        &self,
        inputs: &Inputs<'_>,
        looks_ahead: bool,
        remembered: Option<&mut Remembered>,
    ) -> (Arc<Verdict>, Option<i64>) {
        let mut verdicts = remembered.and_then(|remembered| remembered.of(self.backlog));
        let verdict = self.verdict(inputs, verdicts.as_deref_mut());
        let changes_in = if looks_ahead { self.changes_in(&verdict, inputs, verdicts) } else { None };
        (verdict, changes_in)
    }

    fn verdict(&self, inputs: &Inputs<'_>, verdicts: Option<&mut Verdicts>) -> Arc<Verdict> {
        let afresh = || {
            Arc::new(Verdict {
                eligible: self.eligible(inputs),
                pipeline: self.pipeline(inputs),
                score: self.score(inputs),
            })
        };
        let Some(Verdicts { read, by_inputs, .. }) = verdicts else { return afresh() };
        let question = self.question(inputs, read);
        if let Some(verdict) = by_inputs.get(&question) {
            return Arc::clone(verdict);
        }
        let verdict = afresh();
        remember(by_inputs, question, Arc::clone(&verdict));
        verdict
    }

    fn changes_in(
        &self,
        today: &Verdict,
        inputs: &Inputs<'_>,
        mut verdicts: Option<&mut Verdicts>,
    ) -> Option<i64> {
        let question = verdicts.as_deref().map(|verdicts| self.question(inputs, &verdicts.read));
        if let (Some(question), Some(verdicts)) = (&question, &verdicts)
            && let Some(changes_in) = verdicts.changes.get(question)
        {
            return *changes_in;
        }
        let changes_in = self.days_until_change(today, inputs, verdicts.as_deref_mut());
        if let (Some(question), Some(verdicts)) = (question, verdicts) {
            remember(&mut verdicts.changes, question, changes_in);
        }
        changes_in
    }

    /// All that a verdict depends on.
    fn question(&self, inputs: &Inputs<'_>, read: &References) -> Vec<u8> {
        let mut question = Vec::with_capacity(64);
        let left_out =
            self.broken.iter().copied().chain(["/"]).chain(self.unknown.iter().map(String::as_str));
        for field in left_out {
            question.extend(field.as_bytes());
            question.push(0);
        }
        inputs.write_what_is_read(read, &mut question);
        question
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

    fn score(&self, inputs: &Inputs<'_>) -> Result<Option<Score>, Option<Hold>> {
        match &self.backlog.order {
            Order::By(_) => Ok(None),
            Order::Priority(formula) if self.reads_broken(formula) => Err(None),
            Order::Priority(formula) => {
                rank::score(formula, inputs).map(Some).map_err(|error| Some(failed("priority", &error)))
            }
        }
    }

    fn reads_broken(&self, formula: &Formula) -> bool {
        self.reads(formula, |field| self.broken.contains(field) || self.unknown.contains(field))
    }

    fn reads(&self, formula: &Formula, is_one: impl Fn(&str) -> bool) -> bool {
        formula.references().fields.iter().any(|field| is_one(field))
    }

    /// Days until age changes anything; the horizon where it may later; none where it never does.
    fn days_until_change(
        &self,
        today: &Verdict,
        inputs: &Inputs<'_>,
        mut verdicts: Option<&mut Verdicts>,
    ) -> Option<i64> {
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
            if verdicts.is_some() {
                let then = self.verdict(&inputs, verdicts.as_deref_mut());
                return identity(then.eligible.as_ref()) != identity(today.eligible.as_ref())
                    || route_of(&then.pipeline) != route_of(&today.pipeline)
                    || (score && place_of(&then.score) != place_of(&today.score));
            }
            (eligible && identity(self.eligible(&inputs).as_ref()) != identity(today.eligible.as_ref()))
                || (pipeline && route_of(&self.pipeline(&inputs)) != route_of(&today.pipeline))
                || (score && place_of(&self.score(&inputs)) != place_of(&today.score))
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

fn place_of(score: &Result<Option<Score>, Option<Hold>>) -> Result<Option<i64>, Option<(HoldKind, &str)>> {
    let thousandths = |score: &Option<Score>| score.as_ref().map(|score| score.thousandths);
    score.as_ref().map(thousandths).map_err(|hold| identity(hold.as_ref()))
}

fn failed(subject: &str, error: &EvalError) -> Hold {
    Hold { kind: HoldKind::Formula, subject: subject.to_owned(), reason: error.to_string(), until: None }
}
