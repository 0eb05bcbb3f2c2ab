//! What must hold of every history, and of how a world ends.
//!
//! Each check is a function of what happened. *Live* is a claim from the moment at which the store gave it until the store took it back,
//! gave it to another, or took its last write. A store whose clock jumps ahead takes leases away that their holders cannot know of:
//! what guests and deliverers do within a lease after such a jump is not held against them; what the store takes from them is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tollgate_core::{
    HostId, RunId,
    lease::Fence,
    run::{Claim, RunState},
    step::StepKey,
};

use crate::{
    history::{Class, Event, Fact, Said, Write},
    plan::LEASE,
};

/// What there is when a world is over.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ending {
    /// What could have been done and was not, in time.
    pub(crate) left: Vec<String>,
    /// What the last host of a drain left that it could have done.
    pub(crate) undone: Vec<String>,
    /// Marks of runs that are over, after a host has started.
    pub(crate) marks: Vec<String>,
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
    wrong.extend(what_is_known_is_known_to_work(history));
    wrong.extend(hosts_begin_no_more_than_they_may(history));
    wrong.extend(what_is_done_stays_done(history));
    wrong.extend(nothing_is_held_unknowingly(history));
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

/// Work begins only on what was judged by all that is known: by what refine stages saw of it as it is, and by what people set last.
fn what_is_known_is_known_to_work(history: &[Event]) -> Vec<String> {
    let mut set: HashMap<&str, i64> = HashMap::new();
    let mut wrong = Vec::new();
    for event in history {
        match &event.fact {
            Fact::Set { key, weight } => drop(set.insert(key, *weight)),
            Fact::StoreLost { .. } => set.clear(),
            Fact::Claimed { key, begins: Some(Said { seen, weight }), .. } => {
                if seen.is_some_and(|(seen, is)| seen != is) {
                    wrong.push(format!("{event}: it was refined as something else"));
                }
                let said = set.get(key.as_str()).copied().unwrap_or_default();
                if weight.is_some_and(|weight| weight != said) {
                    wrong.push(format!("{event}: somebody has said that it weighs {said}"));
                }
            }
            _ => {}
        }
    }
    wrong
}

/// A host that was told how many runs to begin begins no more. What the store gave it without an answer it does not know of.
fn hosts_begin_no_more_than_they_may(history: &[Event]) -> Vec<String> {
    let mut left: HashMap<&HostId, u64> = HashMap::new();
    let mut begun: HashSet<RunId> = HashSet::new();
    let mut wrong = Vec::new();
    for event in history {
        match &event.fact {
            Fact::HostStarted { host, runs: Some(runs) } => drop(left.insert(host, *runs)),
            Fact::Claimed { claim, begins, .. } => match begins {
                Some(_) => drop(begun.insert(claim.run)),
                None => drop(begun.remove(&claim.run)),
            },
            Fact::Knows { host, run } if begun.remove(run) => {
                if let Some(left) = left.get_mut(host) {
                    match left.checked_sub(1) {
                        Some(less) => *left = less,
                        None => wrong.push(format!("{event}: it may not begin another")),
                    }
                }
            }
            _ => {}
        }
    }
    wrong
}

/// What was done before a store was lost, by the records in the trackers, is not done again for those who open another one.
fn what_is_done_stays_done(history: &[Event]) -> Vec<String> {
    let written =
        |event: &&Event| matches!(&event.fact, Fact::Person { does, .. } if does.starts_with("writes"));
    let first = history.iter().take_while(written).count();
    let mut touched = HashSet::new();
    let mut stays = BTreeSet::new();
    let mut wrong = Vec::new();
    for event in &history[first..] {
        match &event.fact {
            Fact::Person { about: Some(key), .. } => drop(touched.insert(key)),
            Fact::StoreLost { done } => stays.extend(done),
            Fact::Claimed { key, begins: Some(_), .. } if stays.contains(key) && !touched.contains(key) => {
                wrong.push(format!("{event}: it was done before the store was lost"));
            }
            _ => {}
        }
    }
    wrong
}

/// A host does not keep a run for itself for ever that it does not know it holds.
fn nothing_is_held_unknowingly(history: &[Event]) -> Vec<String> {
    let patience_ms = 4 * LEASE.as_millis() as u64;
    let mut unknown: HashMap<Claim, (u64, &HostId)> = HashMap::new();
    let mut awake_ms: HashMap<&HostId, u64> = HashMap::new();
    let mut wrong = Vec::new();
    for event in history {
        match &event.fact {
            Fact::HostPaused { host, for_ms } => {
                awake_ms.insert(host, event.at_ms + for_ms);
            }
            Fact::Claimed { host, claim, .. } => {
                unknown.insert(*claim, (event.at_ms, host));
            }
            Fact::Knows { host, run } => {
                unknown.retain(|claim, (_, holder)| claim.run != *run || *holder != host)
            }
            Fact::Renewed { host, claims } => {
                let awake_ms = awake_ms.get(host).copied().unwrap_or_default();
                let is_late =
                    |(since_ms, _): &(u64, &HostId)| event.at_ms > (*since_ms).max(awake_ms) + patience_ms;
                for claim in claims.iter().filter(|claim| unknown.get(claim).is_some_and(is_late)) {
                    wrong.push(format!("{event}: {host} does not know that it has {}", claim.run));
                }
            }
            _ => {}
        }
    }
    wrong
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
            Fact::Sends { host, run }
                if lent.get(run).is_none_or(|(holder, _)| *holder != host) && !jumps.excuse(event) =>
            {
                wrong.push(format!("{event}: the delivery was not {host}'s"));
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

/// Nothing that can run waits longer than it must, hosts end, and those that drain not before it is done.
fn all_ends(ending: &Ending) -> Vec<String> {
    let endless = ending.endless.iter().map(|host| format!("{host} was told to stop and did not"));
    let left = ending.left.iter().map(|left| format!("it could have ended: {left}"));
    let undone = ending.undone.iter().map(|undone| format!("a drain ended too early: {undone}"));
    endless.chain(left).chain(undone).collect()
}

/// Of every run that is over exactly one record stands in its tracker; chains are whole, records say what the store says, and no mark is left.
fn trackers_converge(ending: &Ending) -> Vec<String> {
    let mut wrong = ending.audit.clone();
    wrong.extend(ending.marks.iter().map(|mark| format!("nobody works on what is marked: {mark}")));
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
            Fact::StoreLost { .. } => self.live.clear(),
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

mod tests {
    use tollgate_core::pipeline::StepName;

    use super::*;
    use crate::history::Taken;

    fn run() -> RunId {
        RunId(ulid::Ulid::from(7_u128))
    }

    fn claim(fence: i64) -> Claim {
        Claim { run: run(), fence: Fence(fence) }
    }

    fn host(name: &str) -> HostId {
        HostId(name.to_owned())
    }

    fn claimed(name: &str, fence: i64) -> Fact {
        Fact::Claimed { host: host(name), claim: claim(fence), key: "A-1".to_owned(), begins: None }
    }

    fn wrote(fence: i64, what: Write) -> Fact {
        Fact::Wrote { claim: claim(fence), what, accepted: true }
    }

    fn step() -> StepKey {
        StepKey { name: StepName { stage: "ask".to_owned(), gate: None }, rework: 0, attempt: 1 }
    }

    fn asks(name: &str) -> Fact {
        Fact::Asks { host: host(name), run: run(), step: step(), call: 0 }
    }

    fn swept() -> Fact {
        Fact::Swept { runs: vec![run()] }
    }

    fn took(name: &str, fence: i64) -> Fact {
        let taken = Taken { id: 3, fence: Fence(fence), record_of: Some(run()) };
        Fact::Took { host: host(name), deliveries: vec![taken] }
    }

    fn sends(name: &str) -> Fact {
        Fact::Sends { host: host(name), run: run() }
    }

    /// What is wrong with a history in which a second lies between each two facts.
    fn wrong(facts: impl IntoIterator<Item = Fact>) -> Vec<String> {
        let event = |(second, fact)| Event { at_ms: second as u64 * 1_000, fact };
        check(&facts.into_iter().enumerate().map(event).collect::<Vec<_>>(), &Ending::default())
    }

    #[track_caller]
    fn check_right(facts: impl IntoIterator<Item = Fact>) {
        assert_eq!(wrong(facts), Vec::<String>::new());
    }

    #[track_caller]
    fn check_wrong(facts: impl IntoIterator<Item = Fact>, words: &str) {
        let wrong = wrong(facts);
        assert!(wrong.iter().any(|wrong| wrong.contains(words)), "{wrong:?} does not say {words:?}");
    }

    #[test]
    fn a_write_needs_the_claim_that_is_live() {
        check_right([
            claimed("a", 1),
            wrote(1, Write::GoOn),
            swept(),
            claimed("b", 3),
            wrote(3, Write::Finish),
        ]);
        check_right([
            claimed("a", 1),
            swept(),
            Fact::Wrote { claim: claim(1), what: Write::Finish, accepted: false },
        ]);
        check_wrong([claimed("a", 1), swept(), wrote(1, Write::GoOn)], "without a live claim");
        check_wrong(
            [claimed("a", 1), swept(), claimed("b", 2), wrote(1, Write::Journal)],
            "without a live claim",
        );
        check_wrong([claimed("a", 1), wrote(1, Write::Wait), wrote(1, Write::GoOn)], "without a live claim");
    }

    #[test]
    fn a_run_is_given_to_one_host_at_a_time_by_a_fence_that_rises() {
        check_wrong([claimed("a", 1), claimed("b", 2)], "still a's");
        check_wrong([claimed("a", 2), swept(), claimed("b", 2)], "did not rise");
    }

    #[test]
    fn a_run_ends_once() {
        let twice = [claimed("a", 1), wrote(1, Write::Finish), claimed("b", 2), wrote(2, Write::Finish)];
        check_wrong(twice, "the run was over");
    }

    #[test]
    fn a_capability_is_asked_under_a_live_claim_but_after_a_jump_of_the_stores_clock() {
        check_right([claimed("a", 1), asks("a")]);
        check_wrong([asks("a")], "was not a's");
        check_wrong([claimed("a", 1), swept(), asks("a")], "was not a's");
        check_wrong([claimed("a", 1), swept(), claimed("b", 2), asks("a")], "was not a's");
        let jump = |by_ms| Fact::StoreStepped { by_ms };
        check_right([claimed("a", 1), jump(9_000), asks("a")]);
        check_wrong([claimed("a", 1), jump(-9_000), swept(), asks("a")], "was not a's");
        check_wrong([claimed("a", 1), jump(9_000), swept(), claimed("b", 2), asks("a")], "was not a's");
    }

    #[test]
    fn a_record_is_sent_by_whom_the_store_lent_it_to() {
        let took_back = || Fact::TookBack { deliveries: vec![3] };
        check_right([took("a", 1), sends("a"), took_back(), took("b", 2), sends("b")]);
        check_wrong([took("a", 1), took_back(), sends("a")], "was not a's");
        check_wrong([took("a", 1), took_back(), took("b", 2), sends("a")], "was not a's");
    }

    fn begins(name: &str, seen: Option<(i64, i64)>, weight: Option<i64>) -> Fact {
        let begins = Some(Said { seen, weight });
        Fact::Claimed { host: host(name), claim: claim(1), key: "A-1".to_owned(), begins }
    }

    fn lost() -> Fact {
        Fact::StoreLost { done: BTreeSet::from(["A-1".to_owned()]) }
    }

    #[test]
    fn work_begins_on_what_is_known_by_then() {
        let set = |weight| Fact::Set { key: "A-1".to_owned(), weight };
        check_right([begins("a", None, None)]);
        check_right([begins("a", Some((7, 7)), Some(0))]);
        check_right([set(1), set(2), begins("a", None, Some(2))]);
        check_right([set(1), begins("a", None, None)]);
        check_right([set(1), lost_without_records(), begins("a", None, Some(0))]);
        check_wrong([begins("a", Some((7, 8)), None)], "refined as something else");
        check_wrong([set(1), set(2), begins("a", None, Some(1))], "weighs 2");
    }

    fn lost_without_records() -> Fact {
        Fact::StoreLost { done: BTreeSet::new() }
    }

    #[test]
    fn a_host_begins_as_many_runs_as_it_was_told() {
        let started = || Fact::HostStarted { host: host("a"), runs: Some(1) };
        let knows = || Fact::Knows { host: host("a"), run: run() };
        let again = || Fact::Wrote { claim: claim(1), what: Write::Release, accepted: true };
        let other = |fence| {
            let claim = Claim { run: RunId(ulid::Ulid::from(8_u128)), fence: Fence(fence) };
            let begins = Some(Said { seen: None, weight: None });
            Fact::Claimed { host: host("a"), claim, key: "A-2".to_owned(), begins }
        };
        let knows_other = || Fact::Knows { host: host("a"), run: RunId(ulid::Ulid::from(8_u128)) };
        check_right([started(), begins("a", None, None), knows(), again(), claimed("a", 2), knows()]);
        check_right([started(), begins("a", None, None), other(1), knows_other()]);
        check_wrong([started(), begins("a", None, None), knows(), other(1), knows_other()], "another");
    }

    #[test]
    fn what_was_done_is_not_done_again_when_a_store_is_lost() {
        let wrote = || Fact::Person { does: "writes A-1, plain".to_owned(), about: Some("A-1".to_owned()) };
        let edits = || Fact::Person { does: "edits A-1".to_owned(), about: Some("A-1".to_owned()) };
        check_right([wrote(), lost_without_records(), begins("a", None, None)]);
        check_right([wrote(), edits(), lost(), begins("a", None, None)]);
        check_wrong([wrote(), lost(), begins("a", None, None)], "done before");
    }

    #[test]
    fn what_is_unsafe_is_done_once() {
        let did = |class| Fact::Did { run: run(), step: step(), call: 0, class };
        check_right([did(Class::Keyed), did(Class::Keyed), did(Class::Repeatable), did(Class::Unsafe)]);
        check_wrong([did(Class::Unsafe), did(Class::Unsafe)], "done before");
    }

    #[test]
    fn a_host_knows_what_it_keeps() {
        let renewed = || Fact::Renewed { host: host("a"), claims: vec![claim(1)] };
        let knows = || Fact::Knows { host: host("a"), run: run() };
        let while_renewed = |facts: [Fact; 2]| facts.into_iter().chain((0..8).map(|_| renewed()));
        check_right(while_renewed([claimed("a", 1), knows()]));
        check_right([claimed("a", 1), renewed(), renewed(), swept()]);
        check_wrong(while_renewed([claimed("a", 1), renewed()]), "does not know");
    }

    #[test]
    fn a_cap_that_does_not_hold_is_told() {
        check_wrong([Fact::CapBroken { which: "the day's".to_owned() }], "the day's");
    }

    #[test]
    fn a_world_ends_with_one_record_of_each_run_and_nothing_left() {
        let ended = |state, records, is_done| {
            let runs = vec![RunEnd { run: run(), state, records, is_done }];
            check(&[], &Ending { runs, ..Ending::default() }).len()
        };
        assert_eq!(ended(RunState::Done, Some(1), true), 0);
        assert_eq!(ended(RunState::Failed, Some(1), false), 0);
        assert_eq!(ended(RunState::Done, None, true), 0, "it leaves no record in a tracker");
        assert_eq!(ended(RunState::Done, Some(0), true), 1);
        assert_eq!(ended(RunState::Done, Some(2), true), 1);
        assert_eq!(ended(RunState::Done, Some(1), false), 1);
        let left = Ending { left: vec!["A-1".to_owned()], endless: vec![host("a")], ..Ending::default() };
        assert_eq!(check(&[], &left).len(), 2);
        let audit = Ending { audit: vec!["a chain is broken".to_owned()], ..Ending::default() };
        assert_eq!(check(&[], &audit), ["a chain is broken"]);
    }
}
