//! Money. What is set aside under a cap is the sum of what the runs have set aside; nobody counts it besides.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use tollgate_core::{
    Digest, Microcents, Timestamp,
    ledger::{Cap, CapBalance},
    record::Record,
    step::Step,
};

use super::{
    conflict,
    state::State,
    table::{CapNo, RunNo},
};
use crate::port::{EscrowAnswer, Result, Short};

/// The scope of caps on everything.
const PROJECT: &str = "project";

/// How much is wanted, by the scope of caps. The amount for the project is the whole.
pub(super) type Amounts = BTreeMap<String, Microcents>;

/// A cap of the applied policy, in its present period.
pub(super) struct ActiveCap {
    pub(super) number: CapNo,
    pub(super) cap: Cap,
    pub(super) label: String,
    pub(super) zone: TimeZone,
}

/// Why an amount cannot be set aside.
pub(super) enum NoRoom {
    Cap {
        cap: Cap,
        until: Timestamp,
    },
    /// A run that pays has too little left.
    Payer {
        payer: RunNo,
        short: Short,
    },
}

impl NoRoom {
    pub(super) fn answer(self) -> EscrowAnswer {
        match self {
            Self::Cap { cap, until } => EscrowAnswer::CapReached { cap, until },
            Self::Payer { short, .. } => EscrowAnswer::BudgetReached(short),
        }
    }
}

/// The zone whose midnight counts.
pub(super) fn zone_of(cap: &Cap) -> Result<TimeZone> {
    TimeZone::get(&cap.zone)
        .map_err(|e| conflict(format!("the cap `{cap}` names the time zone `{}`: {e}", cap.zone)))
}

fn scope_of_plugin(name: &str) -> String {
    format!("plugin:{name}")
}

impl State {
    /// By scope and period.
    pub(super) fn active_caps(&self) -> Result<Vec<ActiveCap>> {
        let active = self.caps.iter().filter(|(_, known)| known.active);
        let read = active.map(|(number, known)| {
            let (cap, zone) = (known.cap.clone(), zone_of(&known.cap)?);
            Ok(ActiveCap { number, label: cap.period.label_at(self.now, &zone), cap, zone })
        });
        let mut active = read.collect::<Result<Vec<_>>>()?;
        active.sort_by(|one, other| {
            (&one.cap.scope, one.cap.period).cmp(&(&other.cap.scope, other.cap.period))
        });
        Ok(active)
    }

    pub(super) fn balance(&self, cap: CapNo, label: &str) -> CapBalance {
        let of_period = (cap, label.to_owned());
        let spent = self.spent.get(&of_period).copied().unwrap_or_default();
        let escrow = self.runs.iter().filter_map(|(_, run)| run.set_aside.get(&of_period)).copied().sum();
        CapBalance { settled: spent.settled, escrow, overdraft: spent.overdraft }
    }

    /// What a claim sets aside: the tranche, and of that for each plugin what it may use when each of its steps is called once.
    pub(super) fn tranche(&self, digest: Digest) -> Amounts {
        let Some(pins) = self.pins.get(&digest) else { return Amounts::new() };
        let mut amounts = Amounts::from([(PROJECT.to_owned(), self.tranche_of(digest))]);
        for stage in &pins.pipeline.stages {
            let gates = stage.gates.iter().map(|gate| (&gate.plugin, gate.budget.fuel));
            for (plugin, fuel) in std::iter::once((&stage.plugin, stage.budget.fuel)).chain(gates) {
                let Some(plugin) = pins.plugins.get(plugin) else { continue };
                let share = amounts.entry(scope_of_plugin(&plugin.name)).or_default();
                *share = *share + pins.prices.of_fuel(fuel);
            }
        }
        amounts
    }

    /// Why these amounts cannot be set aside, for which `payer` pays besides.
    pub(super) fn no_room(&self, amounts: &Amounts, payer: Option<RunNo>) -> Result<Option<NoRoom>> {
        for active in self.active_caps()? {
            let Some(amount) = amounts.get(&active.cap.scope) else { continue };
            if *amount > self.balance(active.number, &active.label).room(active.cap.limit) {
                let until = active.cap.period.next_begins_at(self.now, &active.zone);
                return Ok(Some(NoRoom::Cap { cap: active.cap, until }));
            }
        }
        let total = amounts.get(PROJECT).copied().unwrap_or_default();
        Ok(self.short_payer(payer, total).map(|(payer, short)| NoRoom::Payer { payer, short }))
    }

    /// Sets amounts aside for which there is room.
    pub(super) fn set_aside(&mut self, number: RunNo, amounts: &Amounts) -> Result<()> {
        for active in self.active_caps()? {
            let Some(amount) = amounts.get(&active.cap.scope) else { continue };
            let part = self.runs[number].set_aside.entry((active.number, active.label)).or_default();
            *part = *part + *amount;
        }
        let run = &mut self.runs[number];
        run.escrow = run.escrow + amounts.get(PROJECT).copied().unwrap_or_default();
        Ok(())
    }

    /// Sets more aside for a run that is driven. Which plugin it is for is not said, so each cap on one of its plugins must have room.
    pub(super) fn set_more_aside(&mut self, number: RunNo, amount: Microcents) -> Result<EscrowAnswer> {
        let run = &self.runs[number];
        if self.family(number).is_some() && amount > self.room(number) {
            let (key, room) = (self.entries[run.entry].name.key.clone(), self.room(number));
            return Ok(EscrowAnswer::BudgetReached(Short { run: run.id, key, room, needed: amount }));
        }
        let scopes = self.tranche(run.pins).into_keys().chain([PROJECT.to_owned()]);
        let amounts: Amounts = scopes.map(|scope| (scope, amount)).collect();
        match self.no_room(&amounts, run.payer)? {
            Some(no_room) => Ok(no_room.answer()),
            None => {
                self.set_aside(number, &amounts)?;
                Ok(EscrowAnswer::Reserved)
            }
        }
    }

    /// Moves what steps cost from what is set aside to what is spent, without what was moved before they ended.
    pub(super) fn settle_steps(&mut self, number: RunNo, steps: &[Step]) -> Result<()> {
        let run = &self.runs[number];
        let (mut left, mut costs) = (run.escrow, BTreeMap::new());
        for step in steps {
            let charged = run.attempts.get(&step.key).map(|attempt| attempt.charged).unwrap_or_default();
            let cost = step.usage.cost.saturating_sub(charged);
            if cost > left {
                return Err(conflict(format!(
                    "the step `{}` cost {cost}, and {left} were set aside for run {}; reserve more before the call",
                    step.key, run.id
                )));
            }
            left = left.saturating_sub(cost);
            let of_plugin = costs.entry(step.plugin).or_insert(Microcents::ZERO);
            *of_plugin = *of_plugin + cost;
        }
        self.spend(number, &costs, Microcents::ZERO)
    }

    /// Moves `cost` to what is spent: as much of it as `set_aside` says from what is set aside, the rest from what caps have left.
    pub(super) fn charge(
        &mut self,
        number: RunNo,
        plugin: Digest,
        cost: Microcents,
        set_aside: Microcents,
    ) -> Result<()> {
        let from_escrow = cost.min(set_aside).min(self.runs[number].escrow);
        self.spend(number, &BTreeMap::from([(plugin, from_escrow)]), cost.saturating_sub(from_escrow))
    }

    /// `costs` come from what is set aside, those of earlier periods first; `beyond` comes from what caps have left.
    fn spend(
        &mut self,
        number: RunNo,
        costs: &BTreeMap<Digest, Microcents>,
        beyond: Microcents,
    ) -> Result<()> {
        let from_escrow: Microcents = costs.values().copied().sum();
        let run = &mut self.runs[number];
        run.escrow = run.escrow.saturating_sub(from_escrow);
        run.cost = run.cost + from_escrow + beyond;
        for (active, owed) in self.owed(costs, from_escrow)? {
            let mut owed = owed;
            let parts = self.runs[number].set_aside.clone();
            for (of_period, part) in parts.into_iter().filter(|((cap, _), _)| *cap == active.number) {
                let amount = part.min(owed);
                owed = owed.saturating_sub(amount);
                let spent = self.spent.entry(of_period.clone()).or_default();
                spent.settled = spent.settled + amount;
                self.runs[number].set_aside.insert(of_period, part.saturating_sub(amount));
            }
            self.spend_beyond(&active, owed + beyond);
        }
        Ok(())
    }

    /// What fits under the cap is spent, the rest is an overdraft.
    fn spend_beyond(&mut self, active: &ActiveCap, owed: Microcents) {
        let before = self.balance(active.number, &active.label);
        let fits = before.room(active.cap.limit).min(owed);
        let spent = self.spent.entry((active.number, active.label.clone())).or_default();
        spent.settled = spent.settled + fits;
        spent.overdraft = spent.overdraft + owed.saturating_sub(fits);
    }

    /// What each active cap is charged: one on the project with everything, one on a plugin with what its versions cost.
    fn owed(
        &self,
        costs: &BTreeMap<Digest, Microcents>,
        total: Microcents,
    ) -> Result<Vec<(ActiveCap, Microcents)>> {
        let mut owed = Amounts::from([(PROJECT.to_owned(), total)]);
        for (plugin, cost) in costs {
            let Some(name) = self.plugins.get(plugin) else { continue };
            let of_scope = owed.entry(scope_of_plugin(name)).or_default();
            *of_scope = *of_scope + *cost;
        }
        let charged = |active: ActiveCap| owed.get(&active.cap.scope).copied().map(|cost| (active, cost));
        Ok(self.active_caps()?.into_iter().filter_map(charged).collect())
    }

    /// Counts what a run of another store cost in the periods in which it ended.
    pub(super) fn recall(&mut self, record: &Record) -> Result<()> {
        let mut costs = BTreeMap::new();
        for step in &record.steps {
            let of_plugin = costs.entry(step.plugin).or_insert(Microcents::ZERO);
            *of_plugin = *of_plugin + step.usage.cost;
        }
        for (active, owed) in self.owed(&costs, record.total.cost)? {
            let label = active.cap.period.label_at(record.ended_at, &active.zone);
            self.spend_beyond(&ActiveCap { label, ..active }, owed);
        }
        Ok(())
    }

    /// What is set aside for a run that rests goes back; whatever waited for room may have it.
    pub(super) fn give_back(&mut self, number: RunNo) {
        let run = &mut self.runs[number];
        run.set_aside.clear();
        if std::mem::take(&mut run.escrow) == Microcents::ZERO {
            return;
        }
        let payers = self.line(self.runs[number].payer);
        for payer in payers.into_iter().chain([number]) {
            self.room_grew(payer);
        }
    }
}
