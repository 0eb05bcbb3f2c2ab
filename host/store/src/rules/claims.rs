//! Several claims of one host in one transaction.
//!
//! They get what they would have got one after the other. The lanes take turns as they would have, and the places of a lane are taken with
//! one look. Caps hold exactly: whether there is room for a claim is asked when those before it have set aside what they need. Only entries
//! whose runs begin, and for which no run pays, are claimed together; who finds something else claims by itself.

use std::collections::{BTreeMap, VecDeque};

use tollgate_core::run::RunKind;

use super::{
    claim::{self, Head, WaitingLane},
    control,
    ledger::{self, Room},
    live_run::LiveRun,
    newborn::{self, Newborn, ServedLane},
    sql,
    tx::{Failure, Tx, TxResult, named_params},
};
use crate::port::{ClaimOutcome, ClaimRequest};

/// So many places are taken with one look at a lane at the most, as its query says.
const LOOK_MAX: usize = 8;

/// How a lane is served by several claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Served {
    times: usize,
}

/// Which lanes several claims are served from.
struct Turns {
    /// For each claim: where its lane stands among those that wait, and the virtual time that it is served at.
    of_claims: Vec<(usize, i64)>,
}

/// What a claim is going to take.
struct Taking<'r> {
    request: &'r ClaimRequest,
    at: usize,
    lane: usize,
    turn: i64,
    head: Head,
}

/// Claims for as many of `requests`, which ask for the same, as are plain; none for each of the others.
pub(super) fn claim(tx: &Tx<'_>, requests: &[ClaimRequest]) -> TxResult<Vec<Option<ClaimOutcome>>> {
    let mut outcomes = vec![None; requests.len()];
    let Some(first) = requests.first() else { return Ok(outcomes) };
    tx.foresee(sql::CONTROL_GET, &[])?;
    tx.foresee(sql::STORE_GET, &[])?;
    tx.foresee(sql::LANE_LIST_WAITING, &[])?;
    requests.iter().try_for_each(|request| LiveRun::foresee_find(tx, request.new_run))?;
    let mut asking = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        if LiveRun::find(tx, request.new_run)?.is_none() {
            asking.push((at, request));
        }
    }
    if control::stop_in_force(tx)?.is_some() {
        return Ok(outcomes);
    }
    let lanes = claim::lanes_in_turn(tx, first)?;
    // Of a lane that the policy has no more, begun runs go on; to look for them is left to who claims by itself.
    if lanes.iter().any(|lane| !lane.is_open) {
        return Ok(outcomes);
    }
    let taking = take_places(tx, asking, &lanes)?;
    let mut served = BTreeMap::<usize, Served>::new();
    let mut latest = None;
    foresee(tx, &taking, &lanes)?;
    let mut rows = newborn::rows(tx, taking.len())?;
    ledger::lock_for_several(tx, taking.iter().map(|taking| lanes[taking.lane].pins))?;
    tx.ask_foreseen()?;
    for Taking { request, at, lane, turn, head } in taking {
        let waiting = &lanes[lane];
        let Room::Free(reservation) = ledger::room_for(tx, &ledger::tranche(tx, waiting.pins)?, None)? else {
            continue;
        };
        claim::leave_place(tx, waiting, &head)?;
        let seq = rows.pop().ok_or_else(|| Failure::damaged("it has no row for a new run"))?;
        let lane_of_run = ServedLane {
            id: waiting.id,
            pins: waiting.pins,
            kind: waiting.kind,
            pipeline: waiting.pipeline.clone(),
        };
        let newborn = Newborn { request, seq, entry: head.entry, rank_key: head.rank_key, lane: lane_of_run };
        outcomes[at] = Some(ClaimOutcome::Claimed(Box::new(newborn.bear(tx, reservation)?)));
        served.entry(lane).or_default().times += 1;
        latest = latest.max(Some(turn));
    }
    if let Some(latest) = latest {
        tx.send(sql::STORE_SET_VTIME, named_params! { ":vtime": latest })?;
    }
    for (lane, Served { times }) in served {
        claim::serve(tx, &lanes[lane], times)?;
    }
    Ok(outcomes)
}

/// Takes the place of each claim out of those that its lane offers, where that is plain.
fn take_places<'r>(
    tx: &Tx<'_>,
    asking: Vec<(usize, &'r ClaimRequest)>,
    lanes: &[WaitingLane],
) -> TxResult<Vec<Taking<'r>>> {
    let turns = Turns::of(lanes, asking.len());
    let mut wanted = BTreeMap::<usize, usize>::new();
    for (lane, _) in &turns.of_claims {
        *wanted.entry(*lane).or_default() += 1;
    }
    for (lane, count) in &wanted {
        claim::foresee_heads(tx, lanes[*lane].id, (*count).min(LOOK_MAX))?;
    }
    let mut offered = BTreeMap::<usize, VecDeque<Head>>::new();
    for (lane, count) in wanted {
        offered.insert(lane, claim::heads(tx, lanes[lane].id, count.min(LOOK_MAX))?.into());
    }
    let mut taking = Vec::new();
    for ((at, request), (lane, turn)) in asking.into_iter().zip(turns.of_claims) {
        let head = offered.get_mut(&lane).and_then(VecDeque::pop_front);
        if let Some(head) = head.filter(|head| head.run.is_none() && head.payer.is_none()) {
            taking.push(Taking { request, at, lane, turn, head });
        }
    }
    Ok(taking)
}

/// Says what is going to be asked of all of them.
fn foresee(tx: &Tx<'_>, taking: &[Taking<'_>], lanes: &[WaitingLane]) -> TxResult<()> {
    for taking in taking {
        let lane = &lanes[taking.lane];
        ledger::foresee_room_for_good(tx, lane.pins)?;
        newborn::foresee(tx, lane.kind, taking.head.entry)?;
    }
    newborn::foresee_rows(tx, taking.len())
}

impl Turns {
    /// As lanes take them that stand in the order of their turns, and have enough of what is claimed.
    fn of(lanes: &[WaitingLane], claims: usize) -> Self {
        let mut times: Vec<_> = lanes.iter().map(|lane| (lane.kind, lane.vtime)).collect();
        let mut served = lanes.iter().map(|lane| lane.served).max().unwrap_or_default();
        let mut of_claims = Vec::new();
        for _ in 0..claims {
            let due = times.iter().enumerate().min_by_key(|(at, (kind, vtime))| {
                (claim::turn(*kind, *vtime, served), *kind != RunKind::Refine, *vtime, *at)
            });
            let Some((at, (kind, vtime))) = due.map(|(at, lane)| (at, *lane)) else { break };
            let turn = claim::turn(kind, vtime, served);
            times[at].1 = vtime.max(served) + 1;
            served = served.max(turn);
            of_claims.push((at, turn));
        }
        Self { of_claims }
    }
}
