//! What must hold of every history, and of how a world ends.
//!
//! Each check is a function of what happened. *Live* is a claim from the moment at which the store gave it until the store took it back,
//! gave it to another, or took its last write. A store whose clock jumps ahead takes leases away that their holders cannot know of:
//! what guests and deliverers do within a lease after such a jump is not held against them; what the store takes from them is.

use std::collections::{BTreeMap, HashMap, HashSet};

use tollgate_core::{
    HostId, RunId,
    lease::Fence,
    run::{Claim, RunState},
    step::StepKey,
};

use crate::{
    history::{Class, Event, Fact, Write},
    plan::LEASE,
};

/// What there is when a world is over.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ending {
    /// What could have been done and was not, in time.
    pub(crate) left: Vec<String>,
    /// Hosts that were told to stop and did not.
    pub(crate) endless: Vec<HostId>,
    /// What an audit of store and trackers found: chains, records.
    pub(crate) audit: Vec<String>,
    pub(crate) runs: Vec<RunEnd>,
}

/// A run when the world is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunEnd {
    pub(crate) run: RunId,
    pub(crate) state: RunState,
    /// How many records of it stand in its tracker; none for a run that leaves none there.
    pub(crate) records: Option<usize>,
    /// Whether its record says that it is done.
    pub(crate) is_done: bool,
}

/// Everything that is wrong, a sentence each.
pub(crate) fn check(history: &[Event], ending: &Ending) -> Vec<String> {
    let mut wrong = claims_are_fenced(history);
    wrong.extend(finishes_are_single(history));
    wrong.extend(capabilities_are_asked_under_live_claims(history));
    wrong.extend(records_are_sent_under_live_leases(history));
    wrong.extend(nothing_unsafe_is_done_twice(history));
    wrong.extend(caps_hold(history));
    wrong.extend(all_ends(ending));
    wrong.extend(trackers_converge(ending));
    wrong
}

/// A store takes what a driver writes only while its claim is live, and each claim has a higher fence than all before.
fn claims_are_fenced(history: &[Event]) -> Vec<String> {
    let mut claims = Claims::default();
    let mut highest: HashMap<RunId, Fence> = HashMap::new();
    let mut wrong = Vec::new();
    for event in history {
        match &event.fact {
            Fact::Claimed { claim, .. } => {
                let before = highest.insert(claim.run, claim.fence);
                if before.is_some_and(|before| before >= claim.fence) {
                    wrong.push(format!("{event}: the fence did not rise"));
                }
                if let Some((_, host)) = claims.live.get(&claim.run) {
                    wrong.push(format!("{event}: the run was still {host}'s"));
                }
            }
            Fact::Wrote { claim, accepted: true, .. } if !claims.holds(*claim) => {
                wrong.push(format!("{event}: a write was taken without a live claim"));
            }
            _ => {}
        }
        claims.take(&event.fact);
    }
    wrong
}

/// A run ends once.
fn finishes_are_single(history: &[Event]) -> Vec<String> {
    let mut finished = HashSet::new();
    let is_again = |event: &&Event| match event.fact {
        Fact::Wrote { claim, what: Write::Finish, accepted: true } => !finished.insert(claim.run),
        _ => false,
    };
    history.iter().filter(is_again).map(|event| format!("{event}: the run was over")).collect()
}

/// A guest asks its capabilities only while its host holds the run.
fn capabilities_are_asked_under_live_claims(history: &[Event]) -> Vec<String> {
    let mut claims = Claims::default();
    let mut jumps = Jumps::default();
    let mut wrong = Vec::new();
    for event in history {
        jumps.take(event);
        if let Fact::Asks { host, run, .. } = &event.fact
            && claims.live.get(run).is_none_or(|(_, holder)| *holder != host)
            && !jumps.excuse(event)
        {
            wrong.push(format!("{event}: the run was not {host}'s"));
        }
        claims.take(&event.fact);
    }
    wrong
}

/// A record is sent only by the host that the store gave it to, while nobody else may take it.
fn records_are_sent_under_live_leases(history: &[Event]) -> Vec<String> {
    let mut lent: HashMap<RunId, (&HostId, i64)> = HashMap::new();
    let mut jumps = Jumps::default();
    let mut wrong = Vec::new();
    for event in history {
        jumps.take(event);
        match &event.fact {
            Fact::Took { host, deliveries } => {
                lent.extend(deliveries.iter().filter_map(|taken| Some((taken.record_of?, (host, taken.id)))));
            }
            Fact::TookBack { deliveries } => lent.retain(|_, (_, id)| !deliveries.contains(id)),
            Fact::Sends { host, run } => {
                if lent.get(run).is_none_or(|(holder, _)| *holder != host) && !jumps.excuse(event) {
                    wrong.push(format!("{event}: the delivery was not {host}'s"));
                }
            }
            _ => {}
        }
    }
    wrong
}

/// What must not happen twice does not.
fn nothing_unsafe_is_done_twice(history: &[Event]) -> Vec<String> {
    let mut done: HashSet<(RunId, &StepKey, u32)> = HashSet::new();
    let mut wrong = Vec::new();
    for event in history {
        if let Fact::Did { run, step, call, class: Class::Unsafe } = &event.fact
            && !done.insert((*run, step, *call))
        {
            wrong.push(format!("{event}: it was done before"));
        }
    }
    wrong
}

fn caps_hold(history: &[Event]) -> Vec<String> {
    let broken = history.iter().filter(|event| matches!(event.fact, Fact::CapBroken { .. }));
    broken.map(ToString::to_string).collect()
}

/// Nothing that can run waits longer than it must, and hosts end.
fn all_ends(ending: &Ending) -> Vec<String> {
    let endless = ending.endless.iter().map(|host| format!("{host} was told to stop and did not"));
    let left = ending.left.iter().map(|left| format!("it could have ended: {left}"));
    endless.chain(left).collect()
}

/// Of every run that is over exactly one record stands in its tracker; chains are whole, and records say what the store says.
fn trackers_converge(ending: &Ending) -> Vec<String> {
    let mut wrong = ending.audit.clone();
    for RunEnd { run, state, records, is_done } in &ending.runs {
        if records.is_some_and(|records| records != usize::from(!state.is_live())) {
            wrong.push(format!("{run} is {state} and has {} records", records.unwrap_or_default()));
        }
        if *is_done != (*state == RunState::Done) {
            wrong.push(format!("{run} is {state}, and its record says otherwise"));
        }
    }
    wrong
}

/// Who holds which run.
#[derive(Default)]
struct Claims<'h> {
    live: BTreeMap<RunId, (Claim, &'h HostId)>,
}

impl<'h> Claims<'h> {
    fn take(&mut self, fact: &'h Fact) {
        match fact {
            Fact::Claimed { host, claim, .. } => {
                self.live.insert(claim.run, (*claim, host));
            }
            Fact::Swept { runs } => self.live.retain(|run, _| !runs.contains(run)),
            Fact::Wrote { claim, what, accepted: true } if what.ends_claim() && self.holds(*claim) => {
                self.live.remove(&claim.run);
            }
            _ => {}
        }
    }

    fn holds(&self, claim: Claim) -> bool {
        self.live.get(&claim.run).is_some_and(|(live, _)| *live == claim)
    }
}

/// When the store's clock jumped ahead.
#[derive(Default)]
struct Jumps {
    last_ms: Option<u64>,
}

impl Jumps {
    fn take(&mut self, event: &Event) {
        if matches!(event.fact, Fact::StoreStepped { by_ms } if by_ms > 0) {
            self.last_ms = Some(event.at_ms);
        }
    }

    fn excuse(&self, event: &Event) -> bool {
        let lease_ms = LEASE.as_millis() as u64;
        self.last_ms.is_some_and(|last_ms| event.at_ms <= last_ms + lease_ms)
    }
}
