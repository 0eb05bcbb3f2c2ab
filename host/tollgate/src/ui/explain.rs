//! Why an entry stands where it stands, in sentences. `tollgate why` prints them.
//!
//! Properties wanted: every state has a sentence; whatever keeps an entry from going on is named with what would change it; and
//! nothing is said that the store does not hold.

mod chain;
mod known;
mod lane;

use tollgate_core::{
    Microcents,
    adoption::Adoption,
    approval::{Allowance, Ask, Decision, Lack, Word},
    course::{End, Stopped},
    entry::{EntryState, Hold, HoldKind, LinkKind},
    escalation::LiftedBy,
    event::EventKind,
    record::Record,
    run::{RunKind, RunState, RunSummary},
};
use tollgate_store::port::{EntryDetail, LinkStatus, RunDetail};

pub(crate) use chain::{Awaited, AwaitedState, DEPTH_MAX, ENTRIES_MAX};
pub(crate) use known::waits_to_be_refined;
pub(crate) use lane::{ByAge, FullCap, Surroundings, Window, labels, run_with};

use super::text::{count, list, number, score, time};

/// Sentences on an entry, the most important first. `newest` is its newest run, where it has one.
pub(crate) fn entry(
    detail: &EntryDetail,
    newest: Option<&RunDetail>,
    surroundings: &Surroundings,
) -> Vec<String> {
    let key = &detail.status.name.key;
    let mut sentences = vec![state(detail, newest)];
    // What a chain tells of, it tells in full.
    let is_told = |dependency: &str| chain::tells_of(&surroundings.chain, dependency);
    let holds = detail.status.holds.iter();
    let holds = holds.filter(|hold| hold.kind != HoldKind::Dependency || !is_told(&hold.subject));
    sentences.extend(holds.map(|reason| hold(reason, key)));
    sentences.extend(chain::sentences(&surroundings.chain));
    let links = detail.links.iter().filter(|link| link.link.kind == LinkKind::DependsOn);
    sentences.extend(links.filter(|link| !is_told(&link.link.to.key)).map(dependency));
    if let Some(standing) = &detail.standing {
        let is_held = detail.status.state == EntryState::Held;
        sentences.extend(lane::place(detail, standing, is_held, surroundings.by_age));
    }
    if matches!(detail.status.state, EntryState::Ready | EntryState::Busy | EntryState::Held) {
        sentences.extend(terms(detail));
    }
    let is_idle = newest.is_some_and(is_idle);
    if is_idle || detail.status.state == EntryState::Ready || waits_to_be_refined(detail) {
        let obstacles = lane::obstacles(&detail.status.backlog, surroundings);
        let is_free = obstacles.is_empty();
        sentences.extend(obstacles);
        if is_free {
            sentences.push(
                "Nothing else keeps it: a host that runs (`tollgate run`) takes it in its turn.".to_owned(),
            );
        }
    }
    sentences.extend(known::sentences(detail));
    sentences.extend(newest.into_iter().flat_map(run));
    sentences.extend(detail.adoptions.last().map(|last| sentence(&format!("Adopted {}", adoption(last)))));
    if detail.changed_since {
        sentences.push(
            "It was edited since: what it says now was not worked on, and `on_change` lets that be."
                .to_owned(),
        );
    }
    sentences.extend(way_on(detail));
    sentences.extend(opened_by(detail));
    sentences.extend(children(detail));
    if !detail.waiting_for_it.is_empty() {
        let verb = if detail.waiting_for_it.len() == 1 { "waits" } else { "wait" };
        sentences.push(format!("{} {verb} for it.", list(&detail.waiting_for_it)));
    }
    sentences
}

fn state(detail: &EntryDetail, newest: Option<&RunDetail>) -> String {
    let asks = newest.is_some_and(|run| run.summary.ask.is_some());
    let name = format!("{} “{}”", detail.status.name.key, detail.status.title);
    match detail.status.state {
        EntryState::New => format!("{name} waits to be judged; a host that runs (`tollgate run`) does it."),
        EntryState::Held => match detail.status.holds.len() {
            1 => format!("{name} is held:"),
            holds => format!("{name} is held for {holds} reasons:"),
        },
        EntryState::Ready => format!("{name} is ready and waits for its turn."),
        EntryState::Busy if asks => format!("{name} is begun, and waits for a person."),
        EntryState::Busy if newest.is_some_and(is_idle) => {
            format!("{name} is begun, and no host drives it just now.")
        }
        EntryState::Busy if newest.is_some_and(|run| run.summary.kind == RunKind::Refine) => {
            format!("{name} is being refined, before it is judged.")
        }
        EntryState::Busy => format!("{name} is being worked on."),
        EntryState::Done if detail.status.adopted => {
            format!("{name} is done: its work was done before Tollgate, and was adopted.")
        }
        EntryState::Done => format!("{name} is done."),
        EntryState::Failed => format!("{name} failed."),
        EntryState::Escalated => format!("{name} was given to a person."),
        EntryState::Blocked => format!("{name} is blocked: a person said that it cannot go on."),
        EntryState::Gone => {
            format!("{name} is gone: its tracker {} no longer has it.", detail.status.name.tracker)
        }
    }
}

fn hold(hold: &Hold, key: &str) -> String {
    let reason = sentence(&hold.reason);
    match (hold.until, advice(hold.kind, key)) {
        (Some(until), Some(advice)) => {
            format!("- {reason} It lifts by itself at {}; {advice}", time(until))
        }
        (Some(until), None) => format!("- {reason} It lifts by itself at {}.", time(until)),
        (None, Some(advice)) => format!("- {reason} {advice}"),
        (None, None) => format!("- {reason}"),
    }
}

/// Whether a run could go on and nobody drives it: money is set aside for those that are driven.
pub(crate) fn is_idle(run: &RunDetail) -> bool {
    run.summary.state == RunState::Running && run.escrow == Microcents::ZERO
}

/// What lifts a hold of this kind, where its reason does not say so itself.
fn advice(kind: HoldKind, key: &str) -> Option<String> {
    let advice = match kind {
        HoldKind::NotEligible => {
            "It lifts when the item says something else, or `eligible` in tollgate.toml does."
        }
        HoldKind::Closed => "It lifts when the item is open again in its tracker.",
        HoldKind::FieldMissing => {
            "It lifts when the item says it, or the field gets a `default` in tollgate.toml."
        }
        HoldKind::FieldInvalid => "It lifts when the item says a value of that kind.",
        HoldKind::Formula => {
            "It lifts when the formula in tollgate.toml has a result for what the item says."
        }
        HoldKind::NoPipeline => {
            "It lifts when the item, or `pipeline` in tollgate.toml, says something else."
        }
        HoldKind::RefineFailed => {
            return Some(format!(
                "`{}` has it refined once more; so does a change of the item.",
                how_to_lift(key, LiftedBy::Retry)
            ));
        }
        HoldKind::Person => return Some(format!("`{}` lifts it.", how_to_lift(key, LiftedBy::Retry))),
        HoldKind::Intake | HoldKind::OwnOutput | HoldKind::Duplicate | HoldKind::Cancelled => {
            return Some(format!("`{}` lets it in.", how_to_lift(key, LiftedBy::Admission)));
        }
        HoldKind::Unjudged => "It lifts when a host runs.",
        HoldKind::NotRefined
        | HoldKind::NotBefore
        | HoldKind::Dependency
        | HoldKind::DependencyUnknown
        | HoldKind::OnHold
        | HoldKind::Budget => {
            return None;
        }
    };
    Some(advice.to_owned())
}

/// A reason as a sentence of its own, whatever it was written as.
pub(crate) fn sentence(reason: &str) -> String {
    let mut letters = reason.trim().chars();
    let begun: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if begun.ends_with(['.', '!', '?']) { begun } else { format!("{begun}.") }
}

fn dependency(status: &LinkStatus) -> String {
    let key = &status.link.to.key;
    let written = match &status.link.written {
        Some(written) => format!(", written as {written}"),
        None => String::new(),
    };
    let stands = match (status.target, status.satisfied) {
        (None, _) => "which no source knows".to_owned(),
        (Some(state), true) => format!("which is {state}: satisfied"),
        (Some(state), false) => format!("which is {state}: not satisfied"),
    };
    format!("It depends on {key} ({}{written}), {stands}.", status.link.source)
}

/// Which entry's run opened it.
fn opened_by(detail: &EntryDetail) -> Option<String> {
    let link = detail.links.iter().find(|link| link.link.kind == LinkKind::ChildOf)?;
    let state = link.target.map_or_else(|| "unknown".to_owned(), |state| state.to_string());
    Some(format!("A run of {} opened it, which is {state}.", link.link.to.key))
}

/// What its own runs opened, by what became of it.
fn children(detail: &EntryDetail) -> Option<String> {
    if detail.children.is_empty() {
        return None;
    }
    let of_state = |state: EntryState| {
        let keys = detail.children.iter().filter(|child| child.state == state);
        let keys: Vec<_> = keys.map(|child| child.name.key.clone()).collect();
        let verb = if keys.len() == 1 { "is" } else { "are" };
        (!keys.is_empty()).then(|| format!("{} {verb} {state}", shortened(&keys)))
    };
    let groups: Vec<_> = EntryState::ALL.into_iter().filter_map(of_state).collect();
    let opened = count(detail.children.len() as u64, "entry", "entries");
    Some(format!("Its runs opened {opened}: {}.", groups.join("; ")))
}

/// The first few names of many.
fn shortened(keys: &[String]) -> String {
    const SHOWN: usize = 5;
    if keys.len() <= SHOWN {
        return list(keys);
    }
    format!("{} and {} more", keys[..SHOWN].join(", "), keys.len() - SHOWN)
}

fn terms(detail: &EntryDetail) -> Option<String> {
    let thousandths = detail.status.score_thousandths?;
    let terms = detail.terms.iter().map(|term| format!("{} from `{}`", number(term.value), term.text));
    let terms: Vec<_> = terms.collect();
    let made_of = if terms.is_empty() { String::new() } else { format!(": {}", list(&terms)) };
    Some(format!("Its score is {}{made_of}.", score(thousandths)))
}

fn run(detail: &RunDetail) -> Vec<String> {
    let summary = &detail.summary;
    match (&detail.record, summary.state) {
        (Some(record), _) => ended(summary, record),
        (None, RunState::Waiting) => {
            let reason = summary.reason.as_deref().unwrap_or("for something that comes by itself");
            let mut sentences = vec![format!("Its run {} waits: {reason}.", summary.id)];
            sentences.extend(summary.ask.as_ref().map(|ask| ways_to_answer(&summary.entry.key, ask)));
            sentences
        }
        (None, _) => {
            let last = match detail.steps.last() {
                Some(step) => format!("; the last call that ended was {}", step.key),
                None => String::new(),
            };
            let begun = time(summary.started_at);
            let mut sentences =
                vec![format!("Its run {} began at {begun} on {}{last}.", summary.id, first_host(detail))];
            sentences.extend(taken_over(summary));
            let reason = summary.reason.as_ref().map(|reason| sentence(reason));
            sentences.extend(reason.map(|reason| {
                format!("{reason} The host that has it, or the next one, ends it and writes its record.")
            }));
            sentences
        }
    }
}

/// The host that began a run.
fn first_host(detail: &RunDetail) -> &str {
    let claimed = detail.events.iter().find(|event| event.what.kind == EventKind::Claimed);
    claimed.and_then(|event| event.what.body["host"].as_str()).unwrap_or(&detail.summary.host.0)
}

/// Which hosts were lost on the way, and who drives the run now.
fn taken_over(summary: &RunSummary) -> Option<String> {
    let lost: Vec<_> = summary.lost_hosts.iter().map(|host| host.0.clone()).collect();
    if lost.is_empty() {
        return None;
    }
    let goes_on = match (summary.abandoned_by(), summary.driven) {
        (None, true) => format!("{} goes on with it", summary.host),
        _ => "the next host goes on with it; `tollgate run` starts one".to_owned(),
    };
    Some(format!(
        "{} vanished while driving it, and nothing that was written is lost: {goes_on}.",
        list(&lost)
    ))
}

/// How a person answers a run that asks.
pub(crate) fn ways_to_answer(key: &str, ask: &Ask) -> String {
    let of_role = match &ask.role {
        Some(role) => format!("A member of `{role}` is asked: "),
        None => String::new(),
    };
    format!("{of_role}`{}` lets it go on; `{}` ends it.", how_to_answer(key, ask), how_to_reject(key))
}

/// The command that ends a run that asks.
pub(crate) fn how_to_reject(key: &str) -> String {
    format!("tollgate reject {key} --why …")
}

/// The command that makes an entry wait again, or lets it in.
pub(crate) fn how_to_lift(key: &str, by: LiftedBy) -> String {
    match by {
        LiftedBy::Retry => format!("tollgate runs retry {key} --reason …"),
        LiftedBy::Admission => format!("tollgate backlog admit {key} --why …"),
    }
}

/// The command that lets a run go on that asks.
pub(crate) fn how_to_answer(key: &str, ask: &Ask) -> String {
    match ask.lack {
        Lack::Answer => format!("tollgate runs answer {key} …"),
        _ => how_to_approve(key, &ask.suggested),
    }
}

/// The command that gives a run what it probably needs.
pub(crate) fn how_to_approve(key: &str, added: &Allowance) -> String {
    if added.is_nothing() {
        return format!("tollgate approve {key}");
    }
    let added = added.to_string();
    let options: Vec<_> = added.split(' ').map(|part| format!("--add '{part}'")).collect();
    // Only money has a character that a shell reads.
    let options = options.join(" ");
    let options = if options.contains('$') { options } else { options.replace('\'', "") };
    format!("tollgate approve {key} {options}")
}

/// What a person answered.
pub(crate) fn decision(decision: &Decision) -> String {
    let Decision { who, why, at, asked, word } = decision;
    let step = &asked.step;
    match word {
        Word::Approved { .. } if asked.lack == Lack::Answer => {
            format!("{who} answered {step} at {}: {why}", time(*at))
        }
        Word::Approved { added } if added.is_nothing() => {
            format!("{who} approved {step} at {}: {why}", time(*at))
        }
        Word::Rejected if asked.lack == Lack::Approval => {
            format!("{who} rejected {step} at {}: {why}", time(*at))
        }
        Word::Approved { added } => format!("{who} added {added} for {step} at {}: {why}", time(*at)),
        Word::Rejected => format!("{who} rejected to give {step} more at {}: {why}", time(*at)),
    }
}

/// By whom an entry was adopted, and on what evidence.
pub(crate) fn adoption(adoption: &Adoption) -> String {
    let Adoption { who, at, evidence, despite, .. } = adoption;
    let evidence: Vec<_> = evidence.iter().map(ToString::to_string).collect();
    let despite = match despite.as_slice() {
        [] => String::new(),
        doubts => format!(", in spite of this: {}", doubts.join("; ")),
    };
    format!("by {who} at {} on this evidence: {}{despite}", time(*at), evidence.join("; "))
}

fn ended(summary: &RunSummary, record: &Record) -> Vec<String> {
    let when = time(record.ended_at);
    let cost = format!("{}, {}", count(record.steps.len() as u64, "call", "calls"), summary.cost);
    let mut sentences = match &record.end {
        End::Done => vec![format!("Its run {} ended done at {when} ({cost}).", summary.id)],
        End::Failed(stopped) => stopped_sentences("failed", summary, stopped, &when, &cost),
        End::Escalated { to, stopped } => {
            stopped_sentences(&format!("escalated to {to}"), summary, stopped, &when, &cost)
        }
        End::Cancelled { reason } => {
            vec![format!("Its run {} was cancelled at {when}: {reason}", summary.id)]
        }
    };
    if !record.reworks.is_empty() {
        let times = match record.reworks.len() {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        sentences.push(format!("Its work was sent back {times}."));
    }
    sentences
}

fn stopped_sentences(
    how: &str,
    summary: &RunSummary,
    stopped: &Stopped,
    when: &str,
    cost: &str,
) -> Vec<String> {
    let place = stopped.at.as_ref().map(|at| format!(" in {at}")).unwrap_or_default();
    vec![
        format!(
            "Its run {} ended {how}{place} at {when} ({cost}): {}",
            summary.id,
            sentence(&stopped.reason)
        ),
        sentence(&stopped.recovery),
    ]
}

/// What leads on from where an entry ended.
fn way_on(detail: &EntryDetail) -> Option<String> {
    let retry = how_to_lift(&detail.status.name.key, LiftedBy::Retry);
    let retry = format!("`{retry}` makes it wait for another round");
    match detail.status.state {
        EntryState::Failed | EntryState::Escalated => Some(format!("{retry}.")),
        EntryState::Done if detail.status.adopted => Some(format!("{retry}, and takes that back.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use tollgate_core::{
        Digest, EntryId, Microcents, Timestamp,
        entry::{EntryName, EntrySnapshot, EntryStatus, HoldKind, Link},
        item::{Shelf, SourceItem},
        record::Term,
        refine::Supplement,
    };

    use tollgate_store::port::{LaneHead, Standing};

    use super::*;

    fn name(key: &str) -> EntryName {
        EntryName { tracker: "folder:backlog".into(), key: key.into() }
    }

    fn detail(state: EntryState) -> EntryDetail {
        let snapshot = EntrySnapshot {
            name: name("LIB-120"),
            url: Some("backlog/LIB-120.md".into()),
            kind: String::new(),
            title: "New photos".into(),
            body: String::new(),
            author: None,
            labels: Vec::new(),
            created_at: Timestamp::from_millis(0),
            fields: serde_json::Map::new(),
        };
        let status = EntryStatus {
            id: EntryId(1),
            name: name("LIB-120"),
            backlog: "specs".into(),
            title: "New photos".into(),
            url: None,
            state,
            adopted: false,
            holds: Vec::new(),
            pipeline: Some("spec-generation".into()),
            score_thousandths: Some(4_200),
            revision: Digest::of(""),
            rounds: 0,
            created_at: Timestamp::from_millis(0),
        };
        EntryDetail {
            status,
            item: item(&snapshot),
            snapshot,
            supplement: Supplement::default(),
            closed: false,
            links: Vec::new(),
            waiting_for_it: Vec::new(),
            children: Vec::new(),
            terms: vec![
                Term { text: "{\"high\": 3}[field.priority]".into(), value: 3.0 },
                Term { text: "age_days / 10".into(), value: 1.2 },
            ],
            standing: None,
            runs: Vec::new(),
            adoptions: Vec::new(),
            changed_since: false,
        }
    }

    fn item(snapshot: &EntrySnapshot) -> SourceItem {
        SourceItem {
            name: snapshot.name.clone(),
            url: snapshot.url.clone(),
            kind: String::new(),
            title: snapshot.title.clone(),
            body: String::new(),
            author: None,
            labels: Vec::new(),
            created_at: None,
            closed: false,
            shelf: Shelf::Open,
            front_matter: serde_json::Map::new(),
            headings: BTreeMap::new(),
            depends: Vec::new(),
        }
    }

    #[test]
    fn a_held_entry_names_its_reasons_and_what_it_depends_on() {
        let mut held = detail(EntryState::Held);
        let hold =
            |kind, reason: &str, until| Hold { kind, subject: String::new(), reason: reason.into(), until };
        held.status.holds = vec![
            hold(HoldKind::Dependency, "waits for LIB-114, which is escalated", None),
            hold(
                HoldKind::NotBefore,
                "`not_before` is 2099-01-01.",
                Some(Timestamp::from_millis(4_070_908_800_000)),
            ),
        ];
        let link = |to: &str, written: Option<&str>, target, satisfied| LinkStatus {
            link: Link {
                kind: LinkKind::DependsOn,
                to: name(to),
                written: written.map(str::to_owned),
                source: "front-matter:depends".into(),
            },
            target,
            satisfied,
        };
        held.links = vec![
            link("LIB-114", None, Some(EntryState::Escalated), false),
            link("LIB-3", Some("task-3"), Some(EntryState::Done), true),
            link("OPS-17", None, None, false),
        ];
        assert_snapshot!(entry(&held, None, &Surroundings::default()).join("\n"), @r#"
        LIB-120 “New photos” is held for 2 reasons:
        - Waits for LIB-114, which is escalated.
        - `not_before` is 2099-01-01. It lifts by itself at 2099-01-01 00:00:00Z.
        It depends on LIB-114 (front-matter:depends), which is escalated: not satisfied.
        It depends on LIB-3 (front-matter:depends, written as task-3), which is done: satisfied.
        It depends on OPS-17 (front-matter:depends), which no source knows.
        Its score is 4.2: 3 from `{"high": 3}[field.priority]` and 1.2 from `age_days / 10`.
        "#);
    }

    #[test]
    fn an_entry_that_waits_says_who_comes_first() {
        let mut ready = detail(EntryState::Ready);
        let head = LaneHead { key: "LIB-127".into(), score_thousandths: Some(8_000), is_begun: false };
        let rank_key = tollgate_core::rank::RankKey::from_bytes(Vec::new());
        ready.standing = Some(Standing { rank_key, ahead: 2, waiting: 17, head: Some(head) });
        ready.waiting_for_it = vec!["LIB-121".into(), "LIB-122".into()];
        let day = Timestamp::from_millis(1_796_169_600_000);
        let surroundings = Surroundings { by_age: ByAge::ComesFirst(day), ..Surroundings::default() };
        assert_snapshot!(entry(&ready, None, &surroundings).join("\n"), @r#"
        LIB-120 “New photos” is ready and waits for its turn.
        It is number 3 of 17 for the pipeline spec-generation of the backlog specs.
        LIB-127 is next, with a score of 8: one above that would come first.
        If nothing else comes in or is done, its age alone brings it to the head at 2026-12-02 00:00:00Z.
        Its score is 4.2: 3 from `{"high": 3}[field.priority]` and 1.2 from `age_days / 10`.
        Nothing else keeps it: a host that runs (`tollgate run`) takes it in its turn.
        LIB-121 and LIB-122 wait for it.
        "#);
    }

    fn ask(suggested: Allowance) -> Ask {
        let name = tollgate_core::pipeline::StepName { stage: "draft".into(), gate: None };
        let step = tollgate_core::step::StepKey { name, rework: 0, attempt: 1 };
        Ask { step, lack: Lack::Fuel, role: None, reason: "`draft` used all its fuel, 9M".into(), suggested }
    }

    #[test]
    fn a_run_that_asks_says_what_to_type() {
        let fuel = Allowance { fuel: 9_000_000, ..Allowance::default() };
        assert_snapshot!(
            ways_to_answer("LIB-115", &ask(fuel)),
            @"`tollgate approve LIB-115 --add fuel=9M` lets it go on; `tollgate reject LIB-115 --why …` ends it."
        );
        let money = Allowance { cost: Microcents(20_000_000), ..fuel };
        assert_snapshot!(
            ways_to_answer("LIB-115", &Ask { role: Some("tech-lead".into()), ..ask(Allowance::default()) }),
            @"A member of `tech-lead` is asked: `tollgate approve LIB-115` lets it go on; `tollgate reject LIB-115 --why …` ends it."
        );
        assert_snapshot!(
            how_to_approve("LIB-115", &money),
            @"tollgate approve LIB-115 --add 'fuel=9M' --add 'cost=$0.20'"
        );
    }

    #[test]
    fn an_answer_names_who_and_why() {
        let fuel = Allowance { fuel: 9_000_000, ..Allowance::default() };
        let said_of = |lack, word| {
            decision(&Decision {
                who: "ines".into(),
                why: "the log is part of it".into(),
                at: Timestamp::from_millis(0),
                asked: Ask { lack, ..ask(fuel) },
                word,
            })
        };
        assert_snapshot!(said_of(Lack::Approval, Word::Approved { added: Allowance::default() }), @"ines approved draft at 1970-01-01 00:00:00Z: the log is part of it");
        assert_snapshot!(said_of(Lack::Approval, Word::Rejected), @"ines rejected draft at 1970-01-01 00:00:00Z: the log is part of it");
        let said = |word| said_of(Lack::Fuel, word);
        assert_snapshot!(said(Word::Approved { added: fuel }), @"ines added fuel=9M for draft at 1970-01-01 00:00:00Z: the log is part of it");
        assert_snapshot!(said(Word::Rejected), @"ines rejected to give draft more at 1970-01-01 00:00:00Z: the log is part of it");
    }

    #[test]
    fn every_state_has_a_sentence() {
        let sentences =
            EntryState::ALL.map(|state| entry(&detail(state), None, &Surroundings::default()).remove(0));
        assert_snapshot!(sentences.join("\n"), @r"
        LIB-120 “New photos” waits to be judged; a host that runs (`tollgate run`) does it.
        LIB-120 “New photos” is held for 0 reasons:
        LIB-120 “New photos” is ready and waits for its turn.
        LIB-120 “New photos” is being worked on.
        LIB-120 “New photos” is done.
        LIB-120 “New photos” failed.
        LIB-120 “New photos” was given to a person.
        LIB-120 “New photos” is blocked: a person said that it cannot go on.
        LIB-120 “New photos” is gone: its tracker folder:backlog no longer has it.
        ");
    }
}
