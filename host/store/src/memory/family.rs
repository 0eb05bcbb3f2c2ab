//! What a run and all that it opened may cost together.

use serde_json::json;
use tollgate_core::{
    EntryId, Microcents,
    approval::{Decision, Word},
    course::End,
    entry::{Hold, HoldKind},
    event::EventKind,
    run::RunState,
};

use super::{
    state::{HeldBy, LetterWord, State, Unfunded},
    table::RunNo,
};
use crate::port::{Family, Short};

impl State {
    /// A run that pays, the one that pays for that, and so on upwards.
    pub(super) fn line(&self, payer: Option<RunNo>) -> Vec<RunNo> {
        std::iter::successors(payer, |run| self.runs[*run].payer).collect()
    }

    /// The newest run that opened an entry pays for the entry's runs.
    pub(super) fn payer_of(&self, entry: EntryId) -> Option<RunNo> {
        self.runs.those(|run| run.children.contains(&entry)).last().copied()
    }

    /// What a run that opened something may cost, and what that has cost.
    pub(super) fn family(&self, number: RunNo) -> Option<Family> {
        let run = &self.runs[number];
        if run.children.is_empty() {
            return None;
        }
        let below = || self.runs.iter().filter(|(_, other)| self.line(other.payer).contains(&number));
        let decisions = run.inbox.iter().map(|letter| match &letter.word {
            LetterWord::Decision(decision) => money_in(decision),
            LetterWord::Cancel(_) => Microcents::ZERO,
        });
        let budget = self.pins.get(&run.pins).map(|pins| pins.pipeline.budget.cost).unwrap_or_default();
        Some(Family {
            limit: budget + decisions.sum(),
            settled: below().map(|(_, other)| other.cost).sum(),
            escrow: below().map(|(_, other)| other.escrow).sum(),
        })
    }

    /// What a run that opened something has left for itself and for that.
    pub(super) fn room(&self, number: RunNo) -> Microcents {
        Microcents(u64::try_from(self.room_or_debt(number)).unwrap_or_default())
    }

    fn room_or_debt(&self, number: RunNo) -> i128 {
        let run = &self.runs[number];
        let Some(Family { limit, settled, escrow }) = self.family(number) else { return 0 };
        let taken = [run.cost, run.escrow, settled, escrow].map(|amount| i128::from(amount.0));
        i128::from(limit.0) - taken.into_iter().sum::<i128>()
    }

    /// The live run with the least room of those that pay, where it has too little; of several the one that is nearest. A run that
    /// is over has no budget any more.
    pub(super) fn short_payer(&self, payer: Option<RunNo>, needed: Microcents) -> Option<(RunNo, Short)> {
        let live = self.line(payer).into_iter().filter(|payer| self.runs[*payer].state.is_live());
        let short = live.filter(|payer| self.room_or_debt(*payer) < i128::from(needed.0));
        let payer = short.min_by_key(|payer| self.room_or_debt(*payer))?;
        let run = &self.runs[payer];
        let key = self.entries[run.entry].name.key.clone();
        Some((payer, Short { run: run.id, key, room: self.room(payer), needed }))
    }

    /// What cannot be paid for is in nobody's way until it can.
    pub(super) fn park(&mut self, entry: EntryId, run: Option<RunNo>, payer: RunNo, short: &Short) {
        self.entries[entry].unfunded = Some(Unfunded { payer, run, amount: short.needed });
        let reason = short.to_string();
        match run {
            None => {
                let (kind, subject) = (HoldKind::Budget, short.key.clone());
                self.hold(entry, HeldBy::Budget, Hold { kind, subject, reason, until: None });
            }
            Some(number) => {
                self.apply_letters(number);
                self.happened(number, EventKind::Waiting, json!({ "for": reason }));
                let run = &mut self.runs[number];
                (run.state, run.reason) = (RunState::Waiting, Some(reason));
            }
        }
    }

    /// Nothing of an entry waits for money any more.
    pub(super) fn forget_debt(&mut self, entry: EntryId) {
        let entry = &mut self.entries[entry];
        entry.unfunded = None;
        entry.holds.retain(|kept| kept.hold.kind != HoldKind::Budget);
    }

    /// There is more room in the budget of a run: what waits for it and fits goes on, begun runs first. A run that is over has none.
    pub(super) fn room_grew(&mut self, payer: RunNo) {
        if !self.runs[payer].state.is_live() {
            return;
        }
        let mut room = self.room(payer);
        for (entry, unfunded) in self.waiting_for_money_of(payer) {
            if unfunded.amount <= room {
                room = room.saturating_sub(unfunded.amount);
                self.goes_on(entry, unfunded);
            }
        }
    }

    /// A run that pays is over. What waits for its money goes on where its work is done, and what was begun does in any case.
    pub(super) fn payer_is_over(&mut self, payer: RunNo, end: &End) {
        let run = &self.runs[payer];
        let (key, state) = (self.entries[run.entry].name.key.clone(), run.state);
        for (entry, unfunded) in self.waiting_for_money_of(payer) {
            if *end == End::Done || unfunded.run.is_some() {
                self.goes_on(entry, unfunded);
                continue;
            }
            self.forget_debt(entry);
            let child = &self.entries[entry].name.key;
            let reason = format!(
                "the run of {key} that opened it is {state} and had too little money for it; \
                 `tollgate backlog admit {child} --why …` lets it in"
            );
            let hold = Hold { kind: HoldKind::Budget, subject: key.clone(), reason, until: None };
            self.hold(entry, HeldBy::Budget, hold);
        }
    }

    fn waiting_for_money_of(&self, payer: RunNo) -> Vec<(EntryId, Unfunded)> {
        let unfunded = self.entries.iter().filter_map(|(id, entry)| Some((id, entry.unfunded?)));
        let mut waiting: Vec<_> = unfunded.filter(|(_, unfunded)| unfunded.payer == payer).collect();
        waiting.sort_by_key(|(entry, unfunded)| (unfunded.run.is_none(), *entry));
        waiting
    }

    fn goes_on(&mut self, entry: EntryId, unfunded: Unfunded) {
        self.forget_debt(entry);
        if let Some(run) = unfunded.run {
            self.wake(run, json!({ "by": "what opened its entry can pay for it" }));
        }
    }
}

/// How much more a person lets a run cost.
pub(super) fn money_in(decision: &Decision) -> Microcents {
    match decision.word {
        Word::Approved { added } => added.cost,
        Word::Rejected => Microcents::ZERO,
    }
}
