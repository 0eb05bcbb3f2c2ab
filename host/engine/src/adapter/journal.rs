//! The journal of a call, as the store keeps it.
//!
//! Property wanted: a capability is asked only when its largest cost is set aside beside the compute of the call, within the caps
//! and within the budget of the run. What is refused stops the call, and is no fault of the guest's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tollgate_core::{
    Digest, Microcents, Timestamp,
    journal::{Answer, Begun, Intent},
    ledger::Cap,
    run::Claim,
    step::StepKey,
};
use tollgate_sandbox::{
    Interrupted,
    port::{Journal, Later},
};
use tollgate_store::{
    Store, StoreError,
    port::{EscrowAnswer, NewIntent, Short},
};

/// Where the journal of one attempt is kept.
pub(crate) struct StoredJournal {
    store: Arc<dyn Store>,
    claim: Claim,
    attempt: NewAttempt,
    state: Mutex<State>,
}

/// Which attempt.
#[derive(Debug, Clone)]
pub(crate) struct NewAttempt {
    /// Which call.
    pub(crate) step: StepKey,
    /// The component that is called.
    pub(crate) plugin: Digest,
    /// What it was handed.
    pub(crate) begun: Begun,
}

/// The money of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Money {
    /// The compute of the call at its largest.
    pub(crate) compute: Microcents,
    /// What is set aside for the run.
    pub(crate) escrow: Microcents,
    /// What the attempt has cost, its compute apart.
    pub(crate) charged: Microcents,
    /// What the run may cost beyond its ended steps.
    pub(crate) left: Microcents,
}

/// Why the journal took no entry.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A cap has no room.
    CapReached {
        /// Which cap.
        cap: Cap,
        /// When its next period begins.
        until: Timestamp,
    },
    /// A run that pays for this one has no room.
    PayerShort(Short),
    /// The budget of the run has no room.
    RunBudget {
        /// How much is missing.
        missing: Microcents,
    },
    /// A capability has to be asked later.
    AskLater(Later),
    /// The store failed, or another host has the run.
    Store(StoreError),
}

struct State {
    money: Money,
    halt: Option<Halt>,
}

impl StoredJournal {
    pub(crate) fn new(store: Arc<dyn Store>, claim: Claim, attempt: NewAttempt, money: Money) -> Self {
        Self { store, claim, attempt, state: Mutex::new(State { money, halt: None }) }
    }

    /// Where the money stands.
    pub(crate) fn money(&self) -> Money {
        self.lock().money
    }

    /// Why the journal took no entry, when it did not.
    pub(crate) fn take_halt(&self) -> Option<Halt> {
        self.lock().halt.take()
    }

    fn halt(&self, halt: Halt) -> Interrupted {
        self.lock().halt = Some(halt);
        Interrupted::NotJournalled
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Journal for StoredJournal {
    async fn intend(&self, call: u32, intent: &Intent) -> Result<(), Interrupted> {
        let Money { compute, charged, left, .. } = self.money();
        let set_aside = compute + intent.reserved;
        let missing = (charged + set_aside).saturating_sub(left);
        if missing > Microcents::ZERO {
            return Err(self.halt(Halt::RunBudget { missing }));
        }
        let NewAttempt { step, plugin, begun } = self.attempt.clone();
        let intent =
            NewIntent { claim: self.claim, step, plugin, begun, call, intent: intent.clone(), set_aside };
        match self.store.journal_intend(intent).await {
            Ok(EscrowAnswer::Reserved) => {
                let money = &mut self.lock().money;
                money.escrow = money.escrow.max(set_aside);
                Ok(())
            }
            Ok(EscrowAnswer::CapReached { cap, until }) => Err(self.halt(Halt::CapReached { cap, until })),
            Ok(EscrowAnswer::BudgetReached(short)) if short.run == self.claim.run => {
                Err(self.halt(Halt::RunBudget { missing: short.needed.saturating_sub(short.room) }))
            }
            Ok(EscrowAnswer::BudgetReached(short)) => Err(self.halt(Halt::PayerShort(short))),
            Err(error) => Err(self.halt(Halt::Store(error))),
        }
    }

    async fn answer(&self, call: u32, answer: &Answer) -> Result<(), Interrupted> {
        let written = self.store.journal_answer(self.claim, &self.attempt.step, call, answer.clone()).await;
        written.map_err(|error| self.halt(Halt::Store(error)))?;
        let money = &mut self.lock().money;
        money.charged = money.charged + answer.cost;
        money.escrow = money.escrow.saturating_sub(answer.cost);
        Ok(())
    }

    async fn withdraw(&self, call: u32, later: &Later) -> Result<(), Interrupted> {
        let withdrawn = self.store.journal_withdraw(self.claim, &self.attempt.step, call).await;
        withdrawn.map_err(|error| self.halt(Halt::Store(error)))?;
        self.lock().halt = Some(Halt::AskLater(later.clone()));
        Ok(())
    }
}
