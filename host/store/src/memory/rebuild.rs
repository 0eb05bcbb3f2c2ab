//! What was done before this store was made, from the records beside the items.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tollgate_core::{
    Digest, EntryId, LaneId, Microcents, Timestamp,
    adoption::Adoption,
    course::EffectRef,
    effect::{Delivered, Effect},
    entry::{EntryName, EntryState, HoldKind},
    event::ChainHead,
    lease::Fence,
    rank::RankKey,
    record::{EffectFacts, Record},
    run::RunKind,
};

use super::{
    drive::ended,
    state::{Account, Content, Lane, Parcel, Run, State, Wakes, Way},
    table::{RunNo, SignalNo},
};
use crate::port::{FoundAccount, PriorAccount, Rebuilt, Result};

/// What became of an entry by the accounts of it.
pub(super) enum Standing {
    /// It is over.
    Over,
    /// Something about it does not verify, and it is held for a person.
    Held,
}

impl State {
    /// Keeps what stands in a tracker, in place of what was kept of it before, and applies it to entries that wait.
    pub(super) fn rebuild(
        &mut self,
        tracker: &str,
        accounts: Vec<FoundAccount>,
        complete: bool,
    ) -> Result<Rebuilt> {
        self.accounts.retain(|account| account.tracker != tracker);
        if complete {
            self.read_records.insert(tracker.to_owned());
        }
        let mut rebuilt = Rebuilt::default();
        let mut names = BTreeSet::new();
        for found in accounts {
            let name = EntryName { tracker: tracker.to_owned(), key: found.key.clone() };
            let at = match &found.account {
                account if self.is_told(tracker, account) => continue,
                PriorAccount::Run(record) if self.find_run(record.run).is_some() => continue,
                PriorAccount::Adoption(adoption) if self.knows_adoption(adoption) => continue,
                PriorAccount::Damaged(_) if self.find(&name).is_some_and(|id| !self.entries[id].waits()) => {
                    continue;
                }
                PriorAccount::Run(record) => {
                    rebuilt.runs += 1;
                    record.ended_at
                }
                PriorAccount::Adoption(adoption) => {
                    rebuilt.adoptions += 1;
                    adoption.at
                }
                PriorAccount::Damaged(_) => {
                    if !rebuilt.damaged.contains(&found.key) {
                        rebuilt.damaged.push(found.key.clone());
                    }
                    self.now
                }
            };
            self.accounts.push(Account { tracker: tracker.to_owned(), at, found });
            names.insert(name);
        }
        for name in names {
            if let Some(id) = self.find(&name).filter(|id| self.entries[*id].waits()) {
                self.apply_accounts(id)?;
            }
        }
        Ok(rebuilt)
    }

    /// Whether an account of the tracker tells this already. Whoever copied a record did nothing again.
    fn is_told(&self, tracker: &str, account: &PriorAccount) -> bool {
        let mut known = self.accounts.iter().filter(|known| known.tracker == tracker);
        known.any(|known| is_same(&known.found.account, account))
    }

    fn knows_adoption(&self, adoption: &Adoption) -> bool {
        self.adoptions(None).iter().any(|known| known.adoption.id == adoption.id)
    }

    /// Makes of an entry what the accounts of it say, where there are any that were not applied yet; the newest decides.
    pub(super) fn apply_accounts(&mut self, id: EntryId) -> Result<Option<Standing>> {
        let name = self.entries[id].name.clone();
        let is_of_entry =
            |account: &Account| account.tracker == name.tracker && account.found.key == name.key;
        let mut accounts: Vec<_> = self.accounts.extract_if(.., |account| is_of_entry(account)).collect();
        if accounts.is_empty() {
            return Ok(None);
        }
        accounts.sort_by_key(|account| account.at);
        let (mut newest, mut damage) = (None::<(Timestamp, EntryState)>, Vec::new());
        for Account { found: FoundAccount { place, account, .. }, .. } in accounts {
            match account {
                PriorAccount::Run(record) => {
                    let (_, state, _) = ended(&record.end);
                    if record.kind == RunKind::Work {
                        newest = newest.max(Some((record.ended_at, state)));
                    }
                    self.add_rebuilt_run(id, place, *record)?;
                }
                PriorAccount::Adoption(adoption) => {
                    newest = newest.max(Some((adoption.at, EntryState::Done)));
                    self.add_known_adoption(id, place, *adoption);
                }
                PriorAccount::Damaged(reason) => damage.push(reason),
            }
        }
        self.lift(id, &[HoldKind::Person]);
        if !damage.is_empty() {
            let advice = "restore it and read the records again (`tollgate backlog take-over`)";
            self.hold_for_person(id, format!("{}; {advice}", damage.join("; ")));
            self.wait(id);
            return Ok(Some(Standing::Held));
        }
        match newest {
            None => Ok(None),
            Some((_, state)) => {
                self.stands(id, state);
                Ok(Some(Standing::Over))
            }
        }
    }

    /// A run as its record tells it. It keeps the head of a chain whose events are gone.
    fn add_rebuilt_run(&mut self, entry: EntryId, place: String, record: Record) -> Result<()> {
        let lane = match self.lane_of(&record.order.backlog, &record.pins.pipeline) {
            Some(lane) => lane,
            None => self.lanes.insert(Lane {
                backlog: record.order.backlog.clone(),
                pipeline: record.pins.pipeline.clone(),
                kind: record.kind,
                pins: record.pins.digest,
                open: false,
                vtime: self.served,
            }),
        };
        let number = self.runs.insert(rebuilt_run(entry, lane, &record));
        self.recall(&record)?;
        for facts in &record.effects {
            self.add_known_effect(number, facts);
        }
        if record.kind == RunKind::Work {
            let entry = &mut self.entries[entry];
            entry.rounds = entry.rounds.max(record.round);
            (entry.worked, entry.adopted) =
                (Some(record.entry.basis.unwrap_or(record.entry.revision)), false);
        }
        let way = self.settled_before(place);
        let parcel = self.parcel(number, Content::Record(Box::new(record)));
        self.outbox.insert(Parcel { way, ..parcel });
        Ok(())
    }

    fn settled_before(&self, place: String) -> Way {
        let became = Delivered::Done { reference: Some(place), data: json!({ "rebuilt": true }) };
        Way::Settled { became, at: self.now }
    }

    /// An effect, as far as a record tells it: what it left where, so that the next run knows its own work again.
    fn add_known_effect(&mut self, number: RunNo, facts: &EffectFacts) {
        let EffectFacts { step, id, kind, became, leaves } = facts.clone();
        let Some(became) = became else { return };
        let file = match (&became, kind.as_str()) {
            (Delivered::Done { reference: Some(path), data }, "publish-file") => {
                let digest = data["digest"].as_str().and_then(|digest| digest.parse::<Digest>().ok());
                Some((path.clone(), digest))
            }
            _ => None,
        };
        let reference = EffectRef { step, id: id.clone() };
        let effect = Effect { id, kind, body: Value::Null, later: false };
        let parcel = self.parcel(number, Content::Effect { reference, effect });
        let way = Way::Settled { became, at: self.now };
        self.outbox.insert(Parcel { file, leaves, way, ..parcel });
    }

    /// An adoption that another store made. It was delivered then.
    fn add_known_adoption(&mut self, id: EntryId, place: String, adoption: Adoption) {
        let entry = &mut self.entries[id];
        (entry.adopted, entry.worked) = (true, Some(adoption.entry.revision));
        let way = self.settled_before(place);
        self.outbox.insert(self.adopted(id, adoption, way));
    }
}

/// Whether two accounts tell of the same run or adoption.
fn is_same(one: &PriorAccount, other: &PriorAccount) -> bool {
    match (one, other) {
        (PriorAccount::Run(one), PriorAccount::Run(other)) => one.run == other.run,
        (PriorAccount::Adoption(one), PriorAccount::Adoption(other)) => one.id == other.id,
        _ => false,
    }
}

fn rebuilt_run(entry: EntryId, lane: LaneId, record: &Record) -> Run {
    let (state, _, reason) = ended(&record.end);
    Run {
        id: record.run,
        entry,
        lane,
        backlog: record.order.backlog.clone(),
        pipeline: record.pins.pipeline.clone(),
        kind: record.kind,
        round: record.round,
        title: record.entry.title.clone(),
        revision: record.entry.revision,
        pins: record.pins.digest,
        rank_key: RankKey::from_bytes(Vec::new()),
        order: record.order.clone(),
        state,
        reason: reason.map(str::to_owned),
        fence: Fence(record.fence),
        host: record.host.clone(),
        lease_until: None,
        crashes: 0,
        lost: Vec::new(),
        started_at: record.started_at,
        ended_at: Some(record.ended_at),
        cost: record.total.cost,
        escrow: Microcents::ZERO,
        set_aside: BTreeMap::new(),
        chain: record.chain.unwrap_or_else(|| ChainHead::start(record.run)),
        events: Vec::new(),
        rebuilt: true,
        packed: false,
        payer: None,
        steps: Vec::new(),
        attempts: BTreeMap::new(),
        inbox: Vec::new(),
        heard: SignalNo::default(),
        asked: None,
        wakes: Wakes::default(),
        children: BTreeSet::new(),
        late: Vec::new(),
    }
}
