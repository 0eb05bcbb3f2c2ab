//! Who drives what, until when, and what becomes of it when nobody does any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;
use tollgate_core::{
    EntryId, HostId, LaneId, Microcents, StopMode, Timestamp,
    cancel::Cancellation,
    entry::EntryState,
    event::{ChainHead, EventKind},
    lease::Fence,
    ledger::Cap,
    record::OrderFacts,
    run::{Claim, RunKind, RunState},
};

use super::{
    conflict,
    ledger::{Amounts, NoRoom},
    run,
    state::{LetterWord, Life, Run, State, Wakes, Way},
    table::RunNo,
};
use crate::{
    StoreError,
    port::{ClaimOutcome, ClaimRequest, ClaimedRun, OpenWork, PlaceInLane, Result, Sweep},
};

/// So many claims may be for refining before the first is for work that waits since.
const REFINE_HEAD_START: i64 = 1_000;

/// What a claim takes, when it takes anything.
enum First {
    Found { lane: LaneId, entry: EntryId, run: Option<RunNo>, amounts: Amounts },
    CapReached { cap: Cap, until: Timestamp },
    Nothing,
}

impl State {
    /// Claims the first thing that can be paid for, of the lanes in their turn.
    pub(super) fn claim(&mut self, request: &ClaimRequest) -> Result<ClaimOutcome> {
        if let Some(number) = self.find_run(request.new_run) {
            return self.claimed_before(number, request);
        }
        let stop = self.control.stop.as_ref().map(|stop| stop.mode);
        if stop == Some(StopMode::Now) {
            return Ok(ClaimOutcome::Stopped);
        }
        match self.first(request, stop.is_some())? {
            First::Found { lane, entry, run, amounts } => self.take(request, lane, entry, run, &amounts),
            First::CapReached { cap, until } => Ok(ClaimOutcome::CapReached { cap, until }),
            First::Nothing if stop.is_some() => Ok(ClaimOutcome::Stopped),
            First::Nothing => Ok(ClaimOutcome::Nothing),
        }
    }

    /// What is left to do when nothing can be claimed.
    pub(super) fn left_besides(&mut self, request: &ClaimRequest) -> Result<Option<OpenWork>> {
        let stop = self.control.stop.as_ref().map(|stop| stop.mode);
        let may_claim = stop != Some(StopMode::Now);
        let finds = may_claim && matches!(self.first(request, stop.is_some())?, First::Found { .. });
        Ok((!finds).then(|| self.open_work()))
    }

    fn first(&mut self, request: &ClaimRequest, is_stopped: bool) -> Result<First> {
        let mut reached = None;
        for lane in self.lanes_in_turn(request) {
            while let Some((entry, run)) = self.head(lane, request) {
                // Begun runs come first in their lane, so behind an entry there are none.
                let begins_nothing = request.only_begun || is_stopped || !self.lanes[lane].open;
                if begins_nothing && run.is_none() {
                    break;
                }
                let (amounts, payer) = self.price(lane, entry, run);
                match self.no_room(&amounts, payer)? {
                    None => return Ok(First::Found { lane, entry, run, amounts }),
                    Some(NoRoom::Cap { cap, until }) => {
                        reached.get_or_insert(First::CapReached { cap, until });
                        break;
                    }
                    Some(NoRoom::Payer { payer, short }) => self.park(entry, run, payer, &short),
                }
            }
        }
        Ok(reached.unwrap_or(First::Nothing))
    }

    /// A claim whose answer was lost is given again, as long as it holds.
    fn claimed_before(&self, number: RunNo, request: &ClaimRequest) -> Result<ClaimOutcome> {
        let run = &self.runs[number];
        match run.host == request.host && run.lease_until.is_some() {
            true => self.claimed(number, false),
            false => Err(conflict(format!("there is a run {} already; use a new id", run.id))),
        }
    }

    /// Lanes with something in them, also those that the policy has no more, where what began goes on. The one with the least virtual
    /// time is first; of several, refining comes first, then who was served less.
    fn lanes_in_turn(&self, request: &ClaimRequest) -> Vec<LaneId> {
        let mut lanes = self.lanes.those(|_| true);
        lanes.retain(|id| !self.lanes[*id].open || request.lanes.contains(id));
        lanes.retain(|id| !self.claimable(*id).is_empty());
        lanes.sort_by_key(|id| {
            let lane = &self.lanes[*id];
            (self.turn(*id), lane.kind != RunKind::Refine, lane.vtime, *id)
        });
        lanes
    }

    /// The virtual time at which a lane is served. One that had nothing for a while is not owed for that.
    fn turn(&self, id: LaneId) -> i64 {
        let lane = &self.lanes[id];
        let head_start = match lane.kind {
            RunKind::Work => 0,
            RunKind::Refine => REFINE_HEAD_START,
        };
        (lane.vtime - head_start).max(self.served)
    }

    fn head(&self, lane: LaneId, request: &ClaimRequest) -> Option<(EntryId, Option<RunNo>)> {
        let wanted = |entry: EntryId| request.only.is_empty() || self.is_led_to(entry, &request.only);
        self.claimable(lane).into_iter().find(|head| wanted(head.entry)).map(|head| (head.entry, head.run))
    }

    /// Whether an entry is one of these, or was opened by their runs, and so on.
    fn is_led_to(&self, entry: EntryId, from: &[EntryId]) -> bool {
        let parent = |id: &EntryId| Some(self.entries[*id].opened.as_ref()?.opener?.parent);
        std::iter::successors(Some(entry), parent).any(|id| from.contains(&id))
    }

    /// What a claim sets aside, and who pays besides. To end what was cancelled needs nothing.
    fn price(&self, lane: LaneId, entry: EntryId, run: Option<RunNo>) -> (Amounts, Option<RunNo>) {
        match run {
            Some(run) if self.cancelled(run).is_some() => (Amounts::new(), None),
            Some(run) => (self.tranche(self.runs[run].pins), self.runs[run].payer),
            None => (self.tranche(self.lanes[lane].pins), self.payer_of(entry)),
        }
    }

    fn take(
        &mut self,
        request: &ClaimRequest,
        lane: LaneId,
        entry: EntryId,
        begun: Option<RunNo>,
        amounts: &Amounts,
    ) -> Result<ClaimOutcome> {
        let turn = self.turn(lane);
        self.lanes[lane].vtime = self.lanes[lane].vtime.max(self.served) + 1;
        self.served = turn;
        let number = match begun {
            Some(number) => number,
            None => self.bear(request, lane, entry)?,
        };
        let lease_until = self.now.after(request.lease);
        let run = &mut self.runs[number];
        run.fence = run.fence.raised();
        run.host = request.host.clone();
        run.lease_until = Some(lease_until);
        let said = run::claimed(run);
        self.set_aside(number, amounts)?;
        self.happened(number, EventKind::Claimed, said);
        self.apply_letters(number);
        self.claimed(number, begun.is_some())
    }

    /// A new run, on what the entry says now and pinned to what its lane says now.
    fn bear(&mut self, request: &ClaimRequest, lane_id: LaneId, entry_id: EntryId) -> Result<RunNo> {
        let (payer, heard, now) = (self.payer_of(entry_id), self.signals.last(), self.now);
        let refined = self.runs.those(|run| run.entry == entry_id && run.kind == RunKind::Refine).len();
        let lane = self.lanes[lane_id].clone();
        let entry = &mut self.entries[entry_id];
        entry.life = Life::Stands(EntryState::Busy);
        let round = match lane.kind {
            RunKind::Work => {
                entry.rounds += 1;
                (entry.worked, entry.adopted) = (Some(entry.basis), false);
                entry.rounds
            }
            RunKind::Refine => u32::try_from(refined).unwrap_or(u32::MAX - 1) + 1,
        };
        let in_lane = entry.place.as_mut().and_then(|place| {
            place.due_at = None;
            let stood_at = place.former_key.take();
            let in_lane = place.in_lane.clone()?;
            Some(PlaceInLane { rank_key: stood_at.unwrap_or(in_lane.rank_key), ..in_lane })
        });
        let no_place = || StoreError::Damaged(format!("entry {entry_id} waits, and has no place"));
        let PlaceInLane { rank_key, score_thousandths, terms, lane: _ } = in_lane.ok_or_else(no_place)?;
        Ok(self.runs.insert(Run {
            id: request.new_run,
            entry: entry_id,
            lane: lane_id,
            backlog: entry.backlog.clone(),
            pipeline: lane.pipeline,
            kind: lane.kind,
            round,
            title: entry.title.clone(),
            revision: entry.revision,
            pins: lane.pins,
            rank_key,
            order: OrderFacts { backlog: entry.backlog.clone(), score_thousandths, terms },
            state: RunState::Running,
            reason: None,
            fence: Fence::default(),
            host: request.host.clone(),
            lease_until: None,
            crashes: 0,
            lost: Vec::new(),
            started_at: now,
            ended_at: None,
            cost: Microcents::ZERO,
            escrow: Microcents::ZERO,
            set_aside: BTreeMap::new(),
            chain: ChainHead::start(request.new_run),
            events: Vec::new(),
            rebuilt: false,
            packed: false,
            payer,
            steps: Vec::new(),
            attempts: BTreeMap::new(),
            inbox: Vec::new(),
            heard,
            asked: None,
            wakes: Wakes::default(),
            children: BTreeSet::new(),
            late: Vec::new(),
        }))
    }

    fn claimed(&self, number: RunNo, begun: bool) -> Result<ClaimOutcome> {
        let run = &self.runs[number];
        let family = self.family(number);
        Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun {
            claim: Claim { run: run.id, fence: run.fence },
            run: self.summary(number),
            snapshot: self.snapshot(run.revision)?,
            order: run.order.clone(),
            begun,
            escrow: run.escrow,
            children_cost: family.map(|family| family.settled + family.escrow).unwrap_or_default(),
            claimed_at: self.now,
        })))
    }

    /// Renews what a host still holds; a lease that has lapsed is not brought back. Whoever renews did not vanish.
    pub(super) fn renew_leases(&mut self, host: &HostId, lease: Duration) -> Vec<Claim> {
        for number in self.runs.those(|run| run.lost.contains(host)) {
            self.runs[number].lost.retain(|lost| lost != host);
        }
        let (now, until) = (self.now, self.now.after(lease));
        let held =
            self.runs.those(|run| run.host == *host && run.lease_until.is_some_and(|until| until > now));
        let renew = held.into_iter().map(|number| {
            let run = &mut self.runs[number];
            run.lease_until = run.lease_until.max(Some(until));
            Claim { run: run.id, fence: run.fence }
        });
        renew.collect()
    }

    pub(super) fn release(&mut self, claim: Claim, reason: &str) -> Result<()> {
        let number = self.held_by(claim)?;
        self.happened(number, EventKind::Released, json!({ "reason": reason }));
        self.let_go(number)?;
        self.queue(number);
        Ok(())
    }

    /// Takes back what hosts no longer hold.
    pub(super) fn sweep(&mut self) -> Result<Sweep> {
        let now = self.now;
        let mut swept = Sweep::default();
        let mut lapsed = self.runs.those(|run| run.lease_until.is_some_and(|until| until <= now));
        lapsed.sort_by_key(|number| (self.runs[*number].lease_until, *number));
        for number in lapsed {
            let run = &mut self.runs[number];
            run.crashes += 1;
            run.lost.push(run.host.clone());
            let said = json!({ "host": run.host, "fence": run.fence, "crashes": run.crashes });
            swept.lapsed_runs.push(run.id);
            swept.lost_hosts.insert(run.host.clone());
            self.happened(number, EventKind::LeaseLapsed, said);
            let run = &mut self.runs[number];
            run.fence = run.fence.raised();
            self.let_go(number)?;
            self.queue(number);
        }
        for id in self.outbox.numbers() {
            let Way::Sending { host, lease_until } = self.outbox[id].way.clone() else { continue };
            if lease_until <= now {
                let parcel = &mut self.outbox[id];
                parcel.way = Way::Waiting;
                parcel.fence = parcel.fence.raised();
                (parcel.ambiguous, parcel.next_at) = (true, now);
                swept.lapsed_deliveries.push(id);
                swept.lost_hosts.insert(host);
            }
        }
        Ok(swept)
    }

    /// Who ended a run, where somebody did.
    pub(super) fn cancelled(&self, number: RunNo) -> Option<&Cancellation> {
        self.runs[number].inbox.iter().find_map(|letter| match &letter.word {
            LetterWord::Cancel(cancellation) => Some(cancellation),
            LetterWord::Decision(_) => None,
        })
    }
}
