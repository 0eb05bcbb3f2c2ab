//! The journal of one call: what is recorded is fed, what comes after is asked and kept.

use std::sync::Arc;

use serde_json::Value;
use tollgate_core::{
    Digest, Microcents,
    journal::{Answer, CallClass, Intent, JournalEntry},
};
use wasmtime::StoreContextMut;

use crate::{
    CallInput, CallJournal,
    host::{Host, Stop},
    port::{self, IdempotencyKey, Interrupted, Later},
};

/// What a call asked and was told before, and how much of that it was told again.
pub(crate) struct Journal {
    recorded: Arc<[JournalEntry]>,
    next: usize,
    port: Arc<dyn port::Journal>,
}

/// Something that a guest asks of a capability.
pub(super) struct Question<'q> {
    /// The interface as components import it.
    pub(super) interface: &'q str,
    /// The function.
    pub(super) function: &'q str,
    /// The digest of everything that the guest passed.
    pub(super) request: Digest,
    /// What may be done if the answer is lost.
    pub(super) class: CallClass,
    /// The most that it can cost.
    pub(super) largest_cost: Microcents,
}

impl Journal {
    pub(crate) fn new(journal: &CallJournal) -> Self {
        Self { recorded: journal.recorded.as_slice().into(), next: 0, port: Arc::clone(&journal.port) }
    }

    /// Whether the guest asked less than it did before.
    pub(crate) fn has_more(&self) -> bool {
        self.next < self.recorded.len()
    }

    /// How often the guest asked, and how often it did before.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.next, self.recorded.len())
    }

    /// Takes the next place in the journal, and what is recorded there.
    fn advance(&mut self) -> (usize, Option<JournalEntry>) {
        let call = self.next;
        self.next += 1;
        (call, self.recorded.get(call).cloned())
    }
}

/// Asks a capability, or answers as it answered before. `act` does what is asked.
///
/// # Errors
///
/// When the call has to stop: it was interrupted, has to ask later, asks something else than before, or asked something that must not be asked
/// twice.
pub(super) async fn ask(
    store: &mut StoreContextMut<'_, Host>,
    question: Question<'_>,
    act: impl AsyncFnOnce(IdempotencyKey) -> Result<Answer, Later>,
) -> wasmtime::Result<Value> {
    let (call, recorded) = store.data_mut().journal.advance();
    let mut intent = question.intent();
    if let Some(JournalEntry { intent: before, answer }) = recorded {
        if !before.is_same_request(&intent) {
            return Err(store.data_mut().stop(diverged(call, &before, &intent)).into());
        }
        match (answer, intent.class) {
            (Some(answer), _) => return Ok(answer.body),
            (None, CallClass::Unsafe) => return Err(store.data_mut().stop(ambiguous(call, &before)).into()),
            // The price is the one that was set aside when it was asked first.
            (None, CallClass::Repeatable | CallClass::Keyed) => intent = before,
        }
    }
    let key = idempotency_key(&store.data().input, call);
    let port = Arc::clone(&store.data().journal.port);
    let place = u32::try_from(call).unwrap_or(u32::MAX);
    let kept = port.intend(place, &intent).await;
    kept.map_err(|interrupted| store.data_mut().stop(interrupted.into()))?;
    // Whoever may claim the run by now must not find it asked behind their back.
    store.data_mut().check()?;
    let answer = match act(key).await {
        Ok(answer) => answer,
        Err(later) => {
            let withdrawn = port.withdraw(place, &later).await;
            let interrupted = withdrawn.err().unwrap_or(Interrupted::AskLater);
            return Err(store.data_mut().stop(interrupted.into()).into());
        }
    };
    let kept = port.answer(place, &answer).await;
    kept.map_err(|interrupted| store.data_mut().stop(interrupted.into()))?;
    Ok(answer.body)
}

impl Question<'_> {
    fn intent(&self) -> Intent {
        let interface = self.interface.split_once('@').map_or(self.interface, |(name, _)| name);
        Intent {
            function: format!("{interface}.{}", self.function),
            request: self.request,
            reserved: self.largest_cost,
            class: self.class,
        }
    }
}

/// Follows from the attempt and the place in its journal alone.
fn idempotency_key(input: &CallInput, call: usize) -> IdempotencyKey {
    let parts = [input.run.to_string(), input.step.to_string(), call.to_string()];
    IdempotencyKey(Digest::of_parts(parts.iter().map(String::as_bytes)).to_string())
}

fn diverged(call: usize, before: &Intent, now: &Intent) -> Stop {
    let place = call + 1;
    Stop::Diverged(match before.function == now.function {
        true => format!(
            "the plugin was called again and passed `{}` something else than before, in call {place} of its journal",
            now.function
        ),
        false => format!(
            "the plugin was called again and asked `{}` where it asked `{}` before, in call {place} of its journal",
            now.function, before.function
        ),
    })
}

fn ambiguous(call: usize, before: &Intent) -> Stop {
    Stop::Ambiguous(format!(
        "`{}` was asked and its answer was lost, in call {} of the journal: it may have happened or not, and asking again \
         could make it happen twice",
        before.function,
        call + 1
    ))
}
