//! What kind of world a seed makes.
//!
//! Every kind of fault is there in about half of the worlds, so that each is met alone as well as with the others.

use std::time::Duration;

use crate::dice::Dice;

/// The lease of every world: short, so that much happens in a second, and long enough for its margin to be longer than what hosts may
/// be apart in time.
pub(crate) const LEASE: Duration = Duration::from_millis(1_500);

/// The longest that hosts may be apart in time: shorter than the margin of the lease.
pub(crate) const SLICE_MS: u64 = 100;

/// What kind of world it is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Hosts that live at the same time.
    pub(crate) hosts: u64,
    /// Places of each host to drive at.
    pub(crate) workers: usize,
    /// Items at the beginning.
    pub(crate) items: u64,
    /// Which of the policies.
    pub(crate) policy: usize,
    /// How long faults happen.
    pub(crate) trouble_ms: u64,
    /// Whether the day ends while they do.
    pub(crate) near_midnight: bool,
    /// Whether hosts end when nothing is left that they could do.
    pub(crate) drains: bool,
    /// How many runs each host begins before it ends, where it was told.
    pub(crate) runs_each: Option<u64>,
    /// When the store is lost with all that it knew, where it is.
    pub(crate) store_lost_ms: Option<u64>,
    /// Whether trackers take a record by its run's marker, or by adding a comment.
    pub(crate) comments: bool,
    pub(crate) faults: Faults,
}

/// How often faults happen: so many times in a thousand requests, or in a thousand slices of time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Requests that are under way for long, so that others overtake them.
    pub(crate) delayed: u32,
    /// Requests that do not arrive.
    pub(crate) lost: u32,
    /// Requests that arrive and whose answers do not.
    pub(crate) ambiguous: u32,
    /// Requests in which the host is killed: before they are sent, under way, or when they have arrived.
    pub(crate) killed: u32,
    /// Slices in which a host is stopped, for up to ten leases.
    pub(crate) paused: u32,
    /// Slices in which a clock is set, by up to an hour.
    pub(crate) clock_steps: u32,
    /// Slices in which a person does something.
    pub(crate) people: u32,
    /// Slices in which a host is told to stop and another one starts.
    pub(crate) restarts: u32,
    /// Questions that a capability does not begin to answer: they have to be asked later.
    pub(crate) later: u32,
}

impl Plan {
    pub(crate) fn of(dice: &Dice, policies: usize) -> Self {
        let some = |per_mille: u32| if dice.happens(500) { per_mille } else { 0 };
        let policy = dice.number(0..=policies as u64 - 1) as usize;
        let trouble_ms = dice.number(1_500..=5_000);
        // What a tracker has twice when its store is lost, nobody takes away.
        let comments = dice.happens(500);
        let is_lost = !comments && dice.happens(200);
        Self {
            hosts: *dice.one_of(&[1, 2, 2, 3]).expect("there are some"),
            workers: dice.number(1..=2) as usize,
            items: dice.number(2..=6),
            policy,
            trouble_ms,
            near_midnight: dice.happens(200),
            drains: dice.happens(300),
            runs_each: dice.happens(150).then(|| dice.number(1..=3)),
            store_lost_ms: is_lost.then(|| dice.number(trouble_ms / 4..=trouble_ms)),
            comments,
            faults: Faults {
                delayed: some(60),
                lost: some(25),
                ambiguous: some(25),
                killed: some(3),
                paused: some(15),
                clock_steps: some(12),
                people: some(40),
                restarts: some(8),
                later: some(200),
            },
        }
    }

    /// The same, where hosts end when nothing is left: one may look at what is left just before it changes, once in hundreds of worlds.
    pub(crate) fn with_drains(self) -> Self {
        Self { drains: true, ..self }
    }

    /// The same, where guests ask much and hosts stand still while the answers come: only there a guest can act that was not cut, since
    /// the store takes no intent under a fence that has passed.
    pub(crate) fn with_late_answers(self) -> Self {
        let faults = Faults { delayed: 400, paused: 60, ..Faults::default() };
        Self { hosts: 2, policy: 3, trouble_ms: 9_000, faults, ..self }
    }
}
