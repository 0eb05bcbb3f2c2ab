//! What may happen in a trace. Whatever is named by a small number is found by it when it comes to that: the newest claim is 0, the one
//! before it 1.

use proptest::prelude::*;
use tollgate_store::port::OnChange;

/// Keys of items; each may live in the usual source, or in the one beside it.
pub(super) const KEYS: [&str; 5] = ["A", "B", "C", "D", "E"];

/// Keys of entries that are opened.
pub(super) const OPENED: [&str; 4] = ["I-0", "I-1", "I-2", "I-3"];

pub(super) const EVENTS: [&str; 2] = ["ci", "deploy"];

#[derive(Debug, Clone)]
pub(super) enum Op {
    Read { beside: bool, seen: Vec<Seen>, reading: How },
    BeginReading { beside: bool },
    AdmitLate { reading: usize, seen: Vec<Seen> },
    EndReading { reading: usize, reading_is: How },
    Judge { limit: u32, is_late: bool, moved_by: i64, apart: bool },
    PutInOrder { all: bool },
    Claim { lane: usize, only_begun: bool, only: Option<usize>, twice: bool },
    Step { claim: usize, cost: u64 },
    Effects { claim: usize, which: usize },
    Wait { claim: usize, on: Vec<On> },
    Call { claim: usize, on: Vec<Asked>, expires: Option<u64> },
    Pause { claim: usize, cost: u64 },
    Finish { claim: usize, end: Ending, leaves: bool },
    Release { claim: usize },
    Reserve { claim: usize, amount: u64 },
    Intend { claim: usize, largest: u64 },
    Answer { claim: usize, cost: u64 },
    Withdraw { claim: usize },
    Open { by: Option<usize>, key: usize, guard: Guarded, needs: Option<usize>, says: u8 },
    Decide { claim: usize, money: Option<u64> },
    Cancel { claim: usize },
    Signal { name: usize, to: Option<usize> },
    SetField { key: usize, value: Option<bool> },
    Retry { key: usize },
    LetIn { key: usize },
    Adopt { key: usize, is_edited: bool },
    Rebuild { key: usize, told: Told, complete: bool, twice: bool },
    Stop { now: bool },
    Resume,
    Policy { which: usize },
    Renew,
    Sweep,
    LiftDue,
    Pack { max: u32 },
    MoveClock { seconds: i64 },
    Take { max: u32 },
    Settle { delivery: usize, became: Became },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    Partial,
    Full,
    /// In full, but for one file that could not be read.
    AllBut(usize),
}

/// An item as it is seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) key: usize,
    pub(super) says: u8,
    pub(super) needs: Option<usize>,
    pub(super) marks: Vec<Mark>,
    pub(super) on_change: OnChange,
    pub(super) guard: Guarded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    ToTriage,
    Unrefined,
    NotEligible,
    Later,
    DueSoon,
    High,
    Closed,
    OnHold,
    RetryFailed,
    Undated,
    /// Judged without what became known of it.
    Stale,
    /// Judged by a policy that was applied before.
    Outdated,
}

const MARKS: [Mark; 12] = [
    Mark::ToTriage,
    Mark::Unrefined,
    Mark::NotEligible,
    Mark::Later,
    Mark::DueSoon,
    Mark::High,
    Mark::Closed,
    Mark::OnHold,
    Mark::RetryFailed,
    Mark::Undated,
    Mark::Stale,
    Mark::Outdated,
];

#[derive(Debug, Clone, Copy)]
pub(super) enum Guarded {
    No,
    BySource,
    ByAuthor,
    ByOrigin,
    OwnOutput,
    Alike,
}

/// What a run waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum On {
    Time(u64),
    Effects(usize),
    Money(u64),
}

/// What a call asks to wait for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    Time(u64),
    Event(usize),
    Children,
    Approval,
    Answer,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Done,
    Failed,
    Escalated,
    Cancelled,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    Done,
    Failed,
    Adopted,
    Damaged,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Became {
    Done,
    PutOnHold,
    Refused,
    NotBegun,
    Retry { is_ambiguous: bool },
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

/// The newest claims are those that are driven; of the others, drivers that are late speak.
fn claim() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..2usize, 1 => 0..9usize]
}

fn needs() -> impl Strategy<Value = Option<usize>> {
    prop::option::weighted(0.3, 0..KEYS.len())
}

fn any_key() -> impl Strategy<Value = usize> {
    prop_oneof![3 => 0..4usize, 2 => 5..7usize, 1 => 0..KEYS.len() + OPENED.len()]
}

fn guard() -> impl Strategy<Value = Guarded> {
    use Guarded::{Alike, ByAuthor, ByOrigin, BySource, No, OwnOutput};
    prop_oneof![
        12 => Just(No),
        2 => Just(BySource),
        2 => Just(ByAuthor),
        1 => Just(ByOrigin),
        1 => Just(OwnOutput),
        2 => Just(Alike),
    ]
}

fn seen() -> impl Strategy<Value = Vec<Seen>> {
    let on_change = prop_oneof![Just(OnChange::Ignore), Just(OnChange::Ask), Just(OnChange::Rerun)];
    let marks = prop_oneof![2 => Just(vec![]), 3 => prop::sample::subsequence(MARKS.to_vec(), 0..=2)];
    let one = (0..KEYS.len(), 0..2u8, needs(), marks, on_change, guard());
    let one = one.prop_map(|(key, says, needs, marks, on_change, guard)| Seen {
        key,
        says,
        needs,
        marks,
        on_change,
        guard,
    });
    proptest::collection::vec(one, 0..6)
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![2 => Just(How::Partial), 4 => Just(How::Full), 1 => (0..KEYS.len()).prop_map(How::AllBut)]
}

/// How every trace begins: with something to do.
pub(super) fn prelude() -> Vec<Op> {
    let seen = |key: usize| Seen {
        key,
        says: 0,
        needs: (key == 1).then_some(0),
        marks: if key == 2 { vec![Mark::Unrefined] } else { vec![] },
        on_change: OnChange::Rerun,
        guard: Guarded::No,
    };
    let claim = Op::Claim { lane: 3, only_begun: false, only: None, twice: false };
    let read = Op::Read { beside: false, seen: (0..4).map(seen).collect(), reading: How::Full };
    vec![read, claim.clone(), claim]
}

/// What comes in, and what the policy makes of it.
fn of_sources() -> impl Strategy<Value = Op> {
    let reading = || 0..3usize;
    prop_oneof![
        8 => (rarely(), seen(), how()).prop_map(|(beside, seen, reading)| Op::Read { beside, seen, reading }),
        1 => rarely().prop_map(|beside| Op::BeginReading { beside }),
        1 => (reading(), seen()).prop_map(|(reading, seen)| Op::AdmitLate { reading, seen }),
        1 => (reading(), how()).prop_map(|(reading, reading_is)| Op::EndReading { reading, reading_is }),
        4 => (1..4u32, rarely(), -1..2i64, any::<bool>())
            .prop_map(|(limit, is_late, moved_by, apart)| Op::Judge { limit, is_late, moved_by, apart }),
        1 => any::<bool>().prop_map(|all| Op::PutInOrder { all }),
        2 => (
            prop::option::weighted(0.8, claim()),
            prop_oneof![3 => 0..2usize, 1 => 0..OPENED.len()],
            guard(),
            prop::option::weighted(0.2, any_key()),
            0..2u8,
        )
            .prop_map(|(by, key, guard, needs, says)| Op::Open { by, key, guard, needs, says }),
        1 => (any_key(), 0..4usize, rarely(), rarely()).prop_map(|(key, told, complete, twice)| {
            let told = [Told::Done, Told::Failed, Told::Adopted, Told::Damaged][told];
            Op::Rebuild { key, told, complete, twice }
        }),
    ]
}

/// What a driver does between two waits.
fn of_drivers() -> impl Strategy<Value = Op> {
    prop_oneof![
        14 => (prop_oneof![1 => 0..3usize, 2 => Just(3)], rarely(), prop::option::weighted(0.1, any_key()), rarely())
            .prop_map(|(lane, only_begun, only, twice)| Op::Claim { lane, only_begun, only, twice }),
        4 => (claim(), 0..70u64).prop_map(|(claim, cost)| Op::Step { claim, cost }),
        3 => (claim(), 0..8usize).prop_map(|(claim, which)| Op::Effects { claim, which }),
        4 => (claim(), 0..8usize, rarely()).prop_map(|(claim, end, leaves)| {
            let end = match end {
                0..4 => Ending::Done,
                4..6 => Ending::Failed,
                6 => Ending::Escalated,
                _ => Ending::Cancelled,
            };
            Op::Finish { claim, end, leaves }
        }),
        1 => claim().prop_map(|claim| Op::Release { claim }),
        1 => (claim(), prop_oneof![0..60u64, 300..950u64])
            .prop_map(|(claim, amount)| Op::Reserve { claim, amount }),
        2 => (claim(), 0..60u64).prop_map(|(claim, largest)| Op::Intend { claim, largest }),
        2 => (claim(), 0..80u64).prop_map(|(claim, cost)| Op::Answer { claim, cost }),
        1 => claim().prop_map(|claim| Op::Withdraw { claim }),
        4 => (1..4u32).prop_map(|max| Op::Take { max }),
        5 => (0..3usize, 0..9usize).prop_map(|(delivery, became)| {
            let became = match became {
                0..4 => Became::Done,
                4 => Became::PutOnHold,
                5 => Became::Refused,
                8 => Became::NotBegun,
                other => Became::Retry { is_ambiguous: other == 6 },
            };
            Op::Settle { delivery, became }
        }),
    ]
}

/// What runs wait for, and what ends that.
fn of_waits() -> impl Strategy<Value = Op> {
    let on = prop_oneof![
        (0..40u64).prop_map(On::Time),
        (0..8usize).prop_map(On::Effects),
        (0..900u64).prop_map(On::Money),
    ];
    let asked = prop_oneof![
        2 => (0..40u64).prop_map(Asked::Time),
        3 => (0..EVENTS.len()).prop_map(Asked::Event),
        4 => Just(Asked::Children),
        1 => Just(Asked::Approval),
        1 => Just(Asked::Answer),
    ];
    let (on, asked) = (proptest::collection::vec(on, 1..3), proptest::collection::vec(asked, 1..3));
    prop_oneof![
        3 => (claim(), on).prop_map(|(claim, on)| Op::Wait { claim, on }),
        4 => (claim(), asked, prop::option::weighted(0.3, 0..60u64))
            .prop_map(|(claim, on, expires)| Op::Call { claim, on, expires }),
        1 => (claim(), 0..40u64).prop_map(|(claim, cost)| Op::Pause { claim, cost }),
        2 => (0..EVENTS.len(), prop::option::weighted(0.4, claim()))
            .prop_map(|(name, to)| Op::Signal { name, to }),
        2 => (claim(), prop::option::weighted(0.7, 0..300u64))
            .prop_map(|(claim, money)| Op::Decide { claim, money }),
        3 => Just(Op::LiftDue),
    ]
}

/// What people, clocks and other hosts do.
fn of_others() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => claim().prop_map(|claim| Op::Cancel { claim }),
        1 => (any_key(), prop::option::weighted(0.7, any::<bool>()))
            .prop_map(|(key, value)| Op::SetField { key, value }),
        3 => any_key().prop_map(|key| Op::Retry { key }),
        1 => any_key().prop_map(|key| Op::LetIn { key }),
        1 => (any_key(), rarely()).prop_map(|(key, is_edited)| Op::Adopt { key, is_edited }),
        1 => rarely().prop_map(|now| Op::Stop { now }),
        2 => Just(Op::Resume),
        1 => (0..4usize).prop_map(|which| Op::Policy { which }),
        1 => Just(Op::Renew),
        3 => Just(Op::Sweep),
        1 => (1..3u32).prop_map(|max| Op::Pack { max }),
        4 => prop_oneof![1 => Just(-50i64), 4 => Just(10), 4 => Just(31), 1 => Just(86_400)]
            .prop_map(|seconds| Op::MoveClock { seconds }),
    ]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![4 => of_sources(), 6 => of_drivers(), 3 => of_waits(), 4 => of_others()]
}
