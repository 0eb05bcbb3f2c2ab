//! What evidence amounts to: certain, doubtful, twice done.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use tollgate_core::{
    Timestamp,
    adoption::{Evidence, EvidenceKind},
    entry::{EntryState, EntryStatus, HoldKind},
};
use tollgate_policy::Backlog;

use super::{
    Ruled, Testimony, by_id,
    names::{Found, Names, fingerprint},
};

/// What was found of earlier work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// Entries whose work was done, and nothing speaks against it.
    pub certain: Vec<Finding>,
    /// Entries whose work was done, or not: a person has to look.
    pub doubtful: Vec<Finding>,
    /// Work that was done more than once, as far as anybody says.
    pub twice: Vec<Twice>,
    /// What cannot be adopted, and why.
    pub refused: Vec<Refusal>,
    /// Names of no entry, each with where it stands.
    pub unknown: Vec<(String, String)>,
    /// Entries with evidence that were adopted before.
    pub adopted_before: u64,
    /// Entries that a rule finds, and that are done by runs.
    pub done_by_runs: u64,
}

/// An entry with evidence of earlier work.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The entry.
    pub entry: EntryStatus,
    /// What says that its work was done.
    pub evidence: Vec<Evidence>,
    /// What speaks against it, a sentence each.
    pub doubts: Vec<String>,
}

/// Work that was done more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    /// The entry, or the entries that say the same.
    pub keys: Vec<String>,
    /// A sentence.
    pub why: String,
}

/// Something that cannot be adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The entry, as it is named.
    pub name: String,
    /// Why not.
    pub reason: String,
}

/// What is known of an entry before it is judged.
#[derive(Default)]
struct Gathered {
    evidence: Vec<Evidence>,
    doubts: Vec<String>,
    /// Whether somebody named it, so that an answer is owed.
    is_named: bool,
}

/// Sorts all evidence by what it amounts to.
pub(super) fn of(
    entries: Vec<EntryStatus>,
    ruled: Vec<Ruled>,
    testimonies: &[Testimony],
    backlogs: &[&Backlog],
    now: Timestamp,
) -> Survey {
    let mut survey = Survey::default();
    let mut gathered = BTreeMap::<usize, Gathered>::new();
    let position = by_id(&entries);
    for Ruled { entry, evidence, doubts } in ruled {
        if let Some(at) = position.get(&entry) {
            let of_entry = gathered.entry(*at).or_default();
            of_entry.evidence.extend(evidence);
            of_entry.doubts.extend(doubts);
        }
    }
    let names = Names::of(&entries, backlogs);
    for testimony in testimonies {
        survey.hear(testimony, &names, &entries, &mut gathered);
    }
    for (at, gathered) in gathered {
        survey.judge(&entries[at], gathered, now);
    }
    survey.compare_titles(&entries);
    survey
}

impl Survey {
    /// Everything that may be adopted.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.certain.iter().chain(&self.doubtful)
    }

    fn hear(
        &mut self,
        testimony: &Testimony,
        names: &Names<'_>,
        entries: &[EntryStatus],
        gathered: &mut BTreeMap<usize, Gathered>,
    ) {
        let Testimony { written, title, evidence } = testimony;
        let (at, nearly) = match names.find(written) {
            Found::One(at) => (at, false),
            Found::Nearly(at) => (at, true),
            Found::Unknown => return self.unknown.push((written.clone(), evidence.place.clone())),
            Found::Several(several) => {
                let reason = format!("{} may be meant; name the one that is", several.join(" or "));
                return self.refused.push(Refusal { name: written.clone(), reason });
            }
        };
        let of_entry = gathered.entry(at).or_default();
        let entry = &entries[at];
        if nearly {
            let key = &entry.name.key;
            of_entry.doubts.push(format!("{} says `{written}`, and the entry is {key}", evidence.place));
        }
        if let Some(title) = title.as_ref().filter(|title| fingerprint(title) != fingerprint(&entry.title)) {
            of_entry.doubts.push(format!("{} calls it “{title}”", evidence.place));
        }
        of_entry.is_named = true;
        of_entry.evidence.push(evidence.clone());
    }

    fn judge(&mut self, entry: &EntryStatus, gathered: Gathered, now: Timestamp) {
        let Gathered { evidence, mut doubts, is_named } = gathered;
        let refuse = |reason: &str| Refusal { name: entry.name.key.clone(), reason: reason.to_owned() };
        match entry.state {
            EntryState::Done if entry.adopted => {
                self.adopted_before += 1;
                return;
            }
            EntryState::Done if !is_named => {
                self.done_by_runs += 1;
                return;
            }
            EntryState::Done => {
                return self.refused.push(refuse("it is done by a run; there is nothing to adopt"));
            }
            EntryState::Busy => {
                return self
                    .refused
                    .push(refuse("a run works on it; adopt it when that is over, if it is not done then"));
            }
            EntryState::Gone => return self.refused.push(refuse("it is gone from its tracker")),
            EntryState::New | EntryState::Held | EntryState::Ready if entry.adopted => {
                doubts.push(
                    "it was adopted before; since then it changed, or a person asked for another round"
                        .into(),
                );
            }
            EntryState::New | EntryState::Held | EntryState::Ready => {}
            state @ (EntryState::Failed | EntryState::Escalated | EntryState::Blocked) => {
                doubts.push(format!("its own run ended {state}; was the work done after that?"));
            }
        }
        doubts.extend(evidence.iter().filter_map(|evidence| doubt_about_time(evidence, entry, now)));
        self.twice.extend(named_twice(entry, &evidence));
        let finding = Finding { entry: entry.clone(), evidence, doubts };
        if finding.doubts.is_empty() { self.certain.push(finding) } else { self.doubtful.push(finding) }
    }

    /// Of entries that say the same, those whose work was done are named together, and the others are held against them.
    fn compare_titles(&mut self, entries: &[EntryStatus]) {
        let found: HashSet<_> = self.findings().map(|finding| finding.entry.id).collect();
        let mut groups = HashMap::<Vec<String>, Vec<&EntryStatus>>::new();
        for entry in entries.iter().filter(|entry| entry.state != EntryState::Gone) {
            if let Some(fingerprint) = fingerprint(&entry.title) {
                groups.entry(fingerprint).or_default().push(entry);
            }
        }
        let mut groups: Vec<_> = groups.into_values().filter(|group| group.len() > 1).collect();
        groups.sort_by_key(|group| group[0].id);
        for group in groups {
            let is_found = |entry: &&EntryStatus| found.contains(&entry.id);
            let is_done = |entry: &&EntryStatus| is_found(entry) || entry.state == EntryState::Done;
            let (done, open): (Vec<_>, Vec<_>) = group.into_iter().partition(|entry| is_done(entry));
            if done.len() > 1 && done.iter().any(is_found) {
                let keys = done.iter().map(|entry| entry.name.key.clone()).collect();
                self.twice.push(Twice { keys, why: format!("they say the same: “{}”", done[0].title) });
            }
            if let Some(first) = done.first() {
                self.doubtful.extend(
                    open.into_iter().filter(|entry| may_run(entry)).map(|entry| repeats(entry, first)),
                );
            }
        }
    }
}

/// Whether anything but a person's look keeps it from being worked on, now or later.
fn may_run(entry: &EntryStatus) -> bool {
    let waits = matches!(entry.state, EntryState::New | EntryState::Held | EntryState::Ready);
    waits && entry.holds.iter().all(|hold| hold.kind != HoldKind::Closed)
}

fn repeats(entry: &EntryStatus, done: &EntryStatus) -> Finding {
    let key = &done.name.key;
    Finding {
        entry: entry.clone(),
        evidence: vec![Evidence {
            kind: EvidenceKind::Duplicate,
            place: key.clone(),
            says: done.title.clone(),
            done_at: None,
        }],
        doubts: vec![format!(
            "nothing says that its own work was done, but it says what {key} says, which is done"
        )],
    }
}

/// More than one line about one entry: its work may have been done more than once.
fn named_twice(entry: &EntryStatus, evidence: &[Evidence]) -> Option<Twice> {
    let of_lists = |kind| matches!(kind, EvidenceKind::List | EvidenceKind::Table);
    let places: Vec<_> = evidence.iter().filter(|evidence| of_lists(evidence.kind)).collect();
    let places: Vec<_> = places.iter().map(|evidence| evidence.to_string()).collect();
    (places.len() > 1).then(|| Twice {
        keys: vec![entry.name.key.clone()],
        why: format!("it is listed {} times: {}", places.len(), places.join("; ")),
    })
}

/// Clocks and zones of other systems differ by less.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn doubt_about_time(evidence: &Evidence, entry: &EntryStatus, now: Timestamp) -> Option<String> {
    let done = evidence.done_at?;
    if done > now.after(DAY) {
        return Some(format!("{} says that it was done at {done}, which is still to come", evidence.place));
    }
    let written = entry.created_at;
    (done.after(DAY) < written).then(|| {
        format!("{} says that it was done at {done}, and it was written at {written}", evidence.place)
    })
}
