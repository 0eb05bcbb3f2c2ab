//! The chains of all runs, computed again from their events as these go by.

use std::collections::HashMap;

use crate::pack;
use serde_json::Value;
use tollgate_core::{
    Digest, RunId, Timestamp,
    event::{ChainHead, EventKind},
};

/// What goes by: the rows of `run`, those of `event`, then those of `event_pack`, each in the order of its key.
#[derive(Debug)]
pub(super) struct Chains {
    /// The heads that runs say they have, until their events were seen.
    heads: HashMap<i64, (RunId, ChainHead)>,
    /// The run whose events go by.
    present: Option<(i64, RunId, ChainHead)>,
    pub(super) runs: u64,
    pub(super) events: u64,
    /// The digest of all heads.
    pub(super) digest: Digest,
}

/// A row of the export by the names of its columns.
pub(super) struct Named<'r> {
    pub(super) columns: &'r [String],
    pub(super) values: &'r [Value],
}

/// What does not fit, in words.
type Result<T> = std::result::Result<T, String>;

impl Chains {
    pub(super) fn new() -> Self {
        Self {
            heads: HashMap::new(),
            present: None,
            runs: 0,
            events: 0,
            digest: Digest::of(b"tollgate.store.heads/1"),
        }
    }

    pub(super) fn run(&mut self, row: &Named<'_>) -> Result<()> {
        let id: RunId = row.text("id")?.parse().map_err(|error| format!("a run has no id: {error}"))?;
        let head = ChainHead { events: row.count("chain_events")?, hash: row.digest("chain_hash")? };
        self.digest = Digest::of_parts([
            self.digest.as_bytes().as_slice(),
            id.to_string().as_bytes(),
            &head.events.to_be_bytes(),
            head.hash.as_bytes(),
        ]);
        self.runs += 1;
        // Of a run that is known by its record alone there are no events.
        if row.number("rebuilt")? == 0 {
            self.heads.insert(row.number("seq")?, (id, head));
        }
        Ok(())
    }

    pub(super) fn event(&mut self, row: &Named<'_>) -> Result<()> {
        let run_seq = row.number("run_seq")?;
        let (id, before) = match self.present.take() {
            Some((seq, id, head)) if seq == run_seq => (id, head),
            other => {
                self.present = other;
                self.end_run()?;
                let (id, _) = self.heads.get(&run_seq).ok_or("there is an event of no run")?;
                (*id, ChainHead::start(*id))
            }
        };
        let kind: EventKind = serde_json::from_value(Value::from(row.text("kind")?))
            .map_err(|_| format!("run {id} has an event of an unknown kind"))?;
        let at = Timestamp::from_millis(row.number("at")?);
        let head = before.link(at, kind, row.text("body")?);
        if row.count("seq")? != head.events || row.digest("hash")? != head.hash {
            return Err(format!("event {} of run {id} does not follow from those before it", head.events));
        }
        self.events += 1;
        self.present = Some((run_seq, id, head));
        Ok(())
    }

    pub(super) fn pack(&mut self, row: &Named<'_>) -> Result<()> {
        let run_seq = row.number("run_seq")?;
        // Its rows in `event`, if there are any, went by before.
        let (id, said) = self.heads.remove(&run_seq).ok_or("there are packed events of no run, or twice")?;
        let events = pack::unpack(&row.bytes("body")?).map_err(|error| format!("run {id}: {error}"))?;
        if row.count("events")? != events.len() as u64 {
            return Err(format!("the pack of run {id} has another number of events than it says"));
        }
        let mut head = ChainHead::start(id);
        for event in events {
            head = head.link(event.at, event.kind, &event.body);
            if event.seq != head.events || event.hash != head.hash {
                return Err(format!(
                    "event {} of run {id} does not follow from those before it",
                    head.events
                ));
            }
        }
        if head != said {
            return Err(format!("the chain of run {id} has another head than the run"));
        }
        self.events += head.events;
        Ok(())
    }

    /// The last run is whole, and no run lacks its events.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.end_run()?;
        let lacking = self.heads.values().find(|(_, head)| head.events > 0);
        lacking.map_or(Ok(()), |(id, head)| Err(format!("run {id} lacks its {} events", head.events)))
    }

    fn end_run(&mut self) -> Result<()> {
        let Some((seq, id, head)) = self.present.take() else { return Ok(()) };
        match self.heads.remove(&seq) {
            Some((_, said)) if said == head => Ok(()),
            _ => Err(format!("the chain of run {id} has another head than the run")),
        }
    }
}

impl Named<'_> {
    fn value(&self, column: &str) -> Result<&Value> {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.values.get(at)).ok_or_else(|| format!("a row lacks `{column}`"))
    }

    fn text(&self, column: &str) -> Result<&str> {
        self.value(column)?.as_str().ok_or_else(|| format!("`{column}` is no text"))
    }

    fn number(&self, column: &str) -> Result<i64> {
        self.value(column)?.as_i64().ok_or_else(|| format!("`{column}` is no number"))
    }

    fn count(&self, column: &str) -> Result<u64> {
        self.value(column)?.as_u64().ok_or_else(|| format!("`{column}` is no number"))
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        hex::decode(self.text(column)?).map_err(|_| format!("`{column}` is not in hexadecimal"))
    }

    fn digest(&self, column: &str) -> Result<Digest> {
        let hex = self.text(column)?;
        format!("sha256:{hex}").parse().map_err(|_| format!("`{column}` is no digest"))
    }
}
