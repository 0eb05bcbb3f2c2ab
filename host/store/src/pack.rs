//! The events of one run in one piece: what [`event_pack`](crate::sql) has in place of their rows.
//!
//! Property wanted: what was packed is unpacked to the byte, since each event's hash covers its body as it was written.
//!
//! A pack is a JSON list of `[seq, at, kind, body, hash]`, oldest first, deflated as zlib does: `at` in milliseconds, `body` a text of
//! canonical JSON, `hash` as digests are written. Each keeps its own number, or one that is missing could not be missed.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde::{Deserialize, Serialize};
use tollgate_core::{
    Digest, Timestamp,
    event::{Event, EventKind, NewEvent},
};

/// No pack is larger when it is unpacked: it comes from an export perhaps, of which nothing is believed.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub(crate) struct KeptEvent {
    /// Its number within its run, from 1.
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) kind: EventKind,
    /// Canonical JSON.
    pub(crate) body: String,
    pub(crate) hash: Digest,
}

type Written = (u64, i64, EventKind, String, Digest);

impl From<Written> for KeptEvent {
    fn from((seq, at, kind, body, hash): Written) -> Self {
        Self { seq, at: Timestamp::from_millis(at), kind, body, hash }
    }
}

impl From<KeptEvent> for Written {
    fn from(KeptEvent { seq, at, kind, body, hash }: KeptEvent) -> Self {
        (seq, at.as_millis(), kind, body, hash)
    }
}

impl KeptEvent {
    pub(crate) fn read(self) -> serde_json::Result<Event> {
        let body = serde_json::from_str(&self.body)?;
        Ok(Event { seq: self.seq, at: self.at, what: NewEvent { kind: self.kind, body }, hash: self.hash })
    }
}

/// What cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackError {
    #[error("a pack of events cannot be unpacked: {0}")]
    Deflated(#[from] std::io::Error),
    #[error("a pack of events has something else in it: {0}")]
    Content(#[from] serde_json::Error),
    #[error("a pack of events is larger than {} MiB", UNPACKED_BYTES_MAX >> 20)]
    TooLarge,
}

pub(crate) fn pack(events: &[KeptEvent]) -> Result<Vec<u8>, PackError> {
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&serde_json::to_vec(events)?)?;
    Ok(deflated.finish()?)
}

pub(crate) fn unpack(pack: &[u8]) -> Result<Vec<KeptEvent>, PackError> {
    let mut text = Vec::new();
    ZlibDecoder::new(pack).take(UNPACKED_BYTES_MAX).read_to_end(&mut text)?;
    if text.len() as u64 == UNPACKED_BYTES_MAX {
        return Err(PackError::TooLarge);
    }
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_to_the_byte(bodies in prop::collection::vec((any::<u64>(), 0_i64..1 << 45, ".*"), 0..40)) {
            let kept = |(seq, at, body): (u64, i64, String)| KeptEvent {
                seq,
                at: Timestamp::from_millis(at),
                kind: EventKind::StepEnded,
                hash: Digest::of(body.as_bytes()),
                body,
            };
            let events: Vec<_> = bodies.into_iter().map(kept).collect();
            prop_assert_eq!(unpack(&pack(&events).unwrap()).unwrap(), events);
        }

        #[test]
        fn anything_else_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(unpack(&bytes).is_err());
        }
    }

    #[test]
    fn a_pack_that_unpacks_to_too_much_is_refused() {
        let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
        let blank = vec![b' '; 1 << 20];
        for _ in 0..=UNPACKED_BYTES_MAX >> 20 {
            deflated.write_all(&blank).unwrap();
        }
        assert!(matches!(unpack(&deflated.finish().unwrap()), Err(PackError::TooLarge)));
    }
}
