//! A policy held against the items that there are.
//!
//! What is found here is no mistake in a file, and nothing stops for it: entries without a result are held one by one anyway. It
//! is what nobody sees in single entries: a team whose every item falls to a default, a formula that fails for a fifth of the
//! backlog, items that wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use tollgate_core::{
    Timestamp,
    entry::{HoldKind, LinkKind},
    item::SourceItem,
    refine::Supplement,
};

use crate::{
    admission::{Admission, Seen},
    error::Diagnostics,
    fields,
    policy::{Backlog, Field, FieldType, Policy},
    source_map::{Place, Report, SourceFile},
};

/// Fewer entries are no group: what they have in common says nothing.
const GROUP_MIN: usize = 3;
/// How many are named.
const NAMED_MAX: usize = 3;

impl Policy {
    /// Holds the policy against items, by backlog: warnings about what they show of it.
    pub fn check_items(&self, items: &BTreeMap<String, Vec<SourceItem>>, now: Timestamp) -> Diagnostics {
        let mut report = Report::default();
        if let Some(root) = self.project_file().map(SourceFile::root) {
            for (name, items) in items {
                if let Some(backlog) = self.backlogs.get(name) {
                    let place = root.key("backlog").key(name);
                    Survey::new(backlog, items, now).report(&place, &mut report);
                }
            }
        }
        report.finish()
    }
}

struct Survey<'a> {
    backlog: &'a Backlog,
    open: Vec<(&'a SourceItem, Admission)>,
}

impl<'a> Survey<'a> {
    fn new(backlog: &'a Backlog, items: &'a [SourceItem], now: Timestamp) -> Self {
        let open = items.iter().filter(|item| !item.closed);
        let judged = open
            .map(|item| (item, backlog.judge_once(item, &Supplement::default(), Seen { first: now, now })));
        Self { backlog, open: judged.collect() }
    }

    fn report(&self, place: &Place<'_>, report: &mut Report) {
        for field in self.backlog.fields.values() {
            self.report_defaults(field, &place.key("fields").key(&field.name), report);
        }
        for rule in ["eligible", "priority", "pipeline"] {
            self.report_failures(rule, &place.key(rule), report);
        }
        for circle in self.circles() {
            let keys: Vec<_> = circle.iter().chain(circle.first()).copied().collect();
            let message = match keys.as_slice() {
                [only, _] => format!("`{only}` waits for itself"),
                keys => format!("entries wait for each other: {}", keys.join(" → ")),
            };
            let help = "that never ends: take a dependency out".to_owned();
            report.key_warning(&place.key("source"), message, Some(help));
        }
    }

    /// Groups of which every entry takes the default of a field.
    fn report_defaults(&self, field: &Field, place: &Place<'_>, report: &mut Report) {
        let takes: Vec<bool> = self
            .open
            .iter()
            .map(|(item, _)| fields::takes_default(field, item, &self.backlog.zone))
            .collect();
        let Some(default) = &field.default else { return };
        let written = default.to_json();
        let default = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        let places: Vec<_> = field.from.iter().map(|origin| format!("`{origin}`")).collect();
        let all = takes.len();
        let groups = if all >= GROUP_MIN && takes.iter().all(|takes| *takes) {
            vec![format!("all {all} entries")]
        } else {
            self.groups()
                .into_iter()
                .filter(|(_, members)| members.iter().all(|at| takes[*at]))
                .map(|(name, members)| format!("all {} entries with {name}", members.len()))
                .collect()
        };
        if groups.is_empty() {
            return;
        }
        let more = groups.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(", and {more} more groups") } else { String::new() };
        let named = groups[..groups.len().min(NAMED_MAX)].join(", ");
        let message = format!("{named}{more} take the default of `{}`, which is `{default}`", field.name);
        let help = format!("none of them says it in {}: do they say it elsewhere?", places.join(" or "));
        report.key_warning(place, message, Some(help));
    }

    /// Entries that have a label, or a text of a declared field, in common; where all entries have it, it makes no group.
    fn groups(&self) -> Vec<(String, BTreeSet<usize>)> {
        let mut groups: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (at, (item, judged)) in self.open.iter().enumerate() {
            for label in &item.labels {
                groups.entry(format!("label `{label}`")).or_default().insert(at);
            }
            let texts = self.backlog.fields.values().filter(|field| field.kind == FieldType::String);
            for field in texts.filter(|field| !fields::takes_default(field, item, &self.backlog.zone)) {
                if let Some(value) = judged.snapshot.fields.get(&field.name).and_then(|value| value.as_str())
                {
                    groups.entry(format!("`{}` {value}", field.name)).or_default().insert(at);
                }
            }
        }
        let is_group =
            |members: &BTreeSet<usize>| members.len() >= GROUP_MIN && members.len() < self.open.len();
        let mut groups: Vec<_> = groups.into_iter().filter(|(_, members)| is_group(members)).collect();
        groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
        groups
    }

    /// Entries for which a formula has no result.
    fn report_failures(&self, rule: &str, place: &Place<'_>, report: &mut Report) {
        let failed = self.open.iter().filter_map(|(item, judged)| {
            let is_of_rule =
                |hold: &&tollgate_core::entry::Hold| hold.kind == HoldKind::Formula && hold.subject == rule;
            Some((item.name.key.as_str(), judged.holds.iter().find(is_of_rule)?))
        });
        let failed: Vec<_> = failed.collect();
        let Some((key, first)) = failed.first() else { return };
        let keys: Vec<_> = failed.iter().take(NAMED_MAX).map(|(key, _)| *key).collect();
        let more = if failed.len() > NAMED_MAX { ", …" } else { "" };
        let message = format!(
            "`{rule}` has no result for {} of {} entries: {}{more}",
            failed.len(),
            self.open.len(),
            keys.join(", ")
        );
        report.key_warning(place, message, Some(format!("they are held; {key}: {}", first.reason)));
    }

    /// Circles of dependencies, each once, from its first key on.
    fn circles(&self) -> Vec<Vec<&str>> {
        let mut leads: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (item, judged) in &self.open {
            let links = judged.links.iter().filter(|link| link.kind == LinkKind::DependsOn);
            leads.entry(&item.name.key).or_default().extend(links.map(|link| link.to.key.as_str()));
        }
        let mut walk =
            Walk { leads: &leads, finished: BTreeSet::new(), path: Vec::new(), circles: Vec::new() };
        leads.keys().for_each(|key| walk.visit(key));
        walk.circles
    }
}

/// A walk along dependencies that names a circle when it comes back to where it is.
struct Walk<'w, 'k> {
    leads: &'w BTreeMap<&'k str, Vec<&'k str>>,
    finished: BTreeSet<&'k str>,
    path: Vec<(&'k str, usize)>,
    circles: Vec<Vec<&'k str>>,
}

impl<'k> Walk<'_, 'k> {
    /// Goes on from `start` without recursion: a chain may be as long as the backlog.
    fn visit(&mut self, start: &'k str) {
        if self.finished.contains(start) {
            return;
        }
        self.path.push((start, 0));
        while let Some((key, next)) = self.path.last_mut() {
            let (here, target) = (*key, self.leads.get(*key).and_then(|targets| targets.get(*next)).copied());
            *next += 1;
            match target {
                None => {
                    self.finished.insert(here);
                    self.path.pop();
                }
                Some(target) => self.step(target),
            }
        }
    }

    fn step(&mut self, target: &'k str) {
        if let Some(begin) = self.path.iter().position(|(key, _)| *key == target) {
            let mut circle: Vec<_> = self.path[begin..].iter().map(|(key, _)| *key).collect();
            let least = circle.iter().enumerate().min_by_key(|(_, key)| **key).map_or(0, |(at, _)| at);
            circle.rotate_left(least);
            self.circles.push(circle);
        } else if self.leads.contains_key(target) && !self.finished.contains(target) {
            self.path.push((target, 0));
        }
    }
}
