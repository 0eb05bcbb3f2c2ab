//! Events of a run, chained.
//!
//! Each event's hash covers the one before it, so that no event can be changed, dropped or put in without changing every head
//! after it; and heads are written into trackers, where a store's administrator cannot reach them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, RunId, Timestamp, digest::canonical_json};

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewEvent {
    /// What.
    pub kind: EventKind,
    /// More, by kind.
    pub body: Value,
}

/// What kinds of things happen to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A host took it; body: host, fence.
    Claimed,
    /// A call ended; body: the step without its texts, by digest.
    StepEnded,
    /// Work was sent back; body: gate, to, round.
    Rework,
    /// Nothing is held while it waits; body: for what, and what a person is asked.
    Waiting,
    /// What it waited for came.
    Woken,
    /// A person allowed it more than its pipeline does; body: who, why, what was asked and what was added.
    Approved,
    /// A person ended it; body: who, why and what was asked.
    Rejected,
    /// A person ended it before it was done; body: who, why and after how many of its calls.
    Cancelled,
    /// A host gave it back in good order.
    Released,
    /// A host's lease lapsed; body: host, fence, how often now.
    LeaseLapsed,
    /// An effect or record reached its target, or was refused; body: what became of it.
    Delivered,
    /// It is over; body: state, reason and the digest of its record.
    Finished,
}

impl EventKind {
    /// The word used in stores and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::StepEnded => "step-ended",
            Self::Rework => "rework",
            Self::Waiting => "waiting",
            Self::Woken => "woken",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Released => "released",
            Self::LeaseLapsed => "lease-lapsed",
            Self::Delivered => "delivered",
            Self::Finished => "finished",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An event in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// 1 for the first of its run.
    pub seq: u64,
    /// When the store took it, by the store's clock.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: NewEvent,
    /// The head of the chain with this event in it.
    pub hash: Digest,
}

/// The end of a run's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainHead {
    /// How many events there are.
    pub events: u64,
    /// The hash of the last one.
    pub hash: Digest,
}

/// Where a chain does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// An event is missing or doubled.
    #[error("event {expected} of run {run} is missing: the next one there is {found}")]
    Gap {
        /// Which run.
        run: RunId,
        /// The number that should come.
        expected: u64,
        /// The number that comes.
        found: u64,
    },
    /// An event was changed after it was written.
    #[error("event {seq} of run {run} was changed: its hash is {stored}, and its content gives {computed}")]
    Changed {
        /// Which run.
        run: RunId,
        /// Which event.
        seq: u64,
        /// The hash that stands in the store.
        stored: Digest,
        /// The hash of what stands in the store.
        computed: Digest,
    },
}

impl ChainHead {
    /// The head of a run that nothing has happened to.
    pub fn start(run: RunId) -> Self {
        Self {
            events: 0,
            hash: Digest::of_parts([b"tollgate.chain/1".as_slice(), run.to_string().as_bytes()]),
        }
    }

    /// The event in its place after this head, and so the next head.
    pub fn append(self, at: Timestamp, what: NewEvent) -> Event {
        let next = self.link(at, what.kind, &canonical_json(&what.body));
        Event { seq: next.events, at, what, hash: next.hash }
    }

    /// The head with one more event, whose body is given as its canonical JSON.
    #[must_use]
    pub fn link(self, at: Timestamp, kind: EventKind, canonical_body: &str) -> Self {
        let seq = self.events + 1;
        let hash = Digest::of_parts([
            self.hash.as_bytes().as_slice(),
            &seq.to_be_bytes(),
            &at.as_millis().to_be_bytes(),
            kind.as_str().as_bytes(),
            canonical_body.as_bytes(),
        ]);
        Self { events: seq, hash }
    }

    /// The head that `events`, oldest first and complete, lead to.
    ///
    /// # Errors
    ///
    /// At the first event that does not follow from the ones before it.
    pub fn verify<'a>(run: RunId, events: impl IntoIterator<Item = &'a Event>) -> Result<Self, ChainError> {
        let mut head = Self::start(run);
        for event in events {
            let expected = head.events + 1;
            if event.seq != expected {
                return Err(ChainError::Gap { run, expected, found: event.seq });
            }
            let computed = head.append(event.at, event.what.clone()).hash;
            if computed != event.hash {
                return Err(ChainError::Changed { run, seq: event.seq, stored: event.hash, computed });
            }
            head = event.head();
        }
        Ok(head)
    }
}

impl Event {
    /// The head of the chain that ends with this event.
    pub fn head(&self) -> ChainHead {
        ChainHead { events: self.seq, hash: self.hash }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn chain(run: RunId, bodies: &[i64]) -> Vec<Event> {
        let mut head = ChainHead::start(run);
        let mut events = Vec::new();
        for (at, body) in bodies.iter().enumerate() {
            let what = NewEvent { kind: EventKind::StepEnded, body: json!({ "n": body }) };
            let event = head.append(Timestamp::from_millis(at as i64), what);
            head = event.head();
            events.push(event);
        }
        events
    }

    proptest! {
        #[test]
        fn any_tampering_is_found(
            bodies in proptest::collection::vec(0i64..5, 1..8), at: prop::sample::Index, how in 0..4,
        ) {
            let run = RunId::generate();
            let events = chain(run, &bodies);
            let head = ChainHead::verify(run, &events).unwrap();
            prop_assert_eq!(head.events, bodies.len() as u64);

            let mut tampered = events.clone();
            let at = at.index(tampered.len());
            match how {
                0 => tampered[at].what.body = json!({ "n": 99 }),
                1 => tampered[at].at = Timestamp::from_millis(1_000_000),
                2 => drop(tampered.remove(at)),
                _ => tampered[at].what.kind = EventKind::Rework,
            }
            // The last event can be cut off without breaking the rest; the head in the tracker shows that.
            prop_assert_ne!(ChainHead::verify(run, &tampered).ok(), Some(head));
        }
    }

    #[test]
    fn chains_of_different_runs_differ() {
        let (a, b) = (RunId::generate(), RunId::generate());
        assert!(ChainHead::verify(b, &chain(a, &[1])).is_err());
    }
}
