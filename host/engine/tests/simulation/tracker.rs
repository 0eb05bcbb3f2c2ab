//! A tracker: a server with items that people write, and the adapter by which a host speaks to it.
//!
//! Some trackers take a record by the marker of its run, so that to send it twice is to send it once, however late it arrives. In
//! others a record is a comment, and every request adds one: there whoever delivers reads back what may have been sent, and takes
//! away what is there twice. No adapter can mend what arrives when nobody looks any more, so a comment is under way no longer than the
//! margin of a lease.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde_json::Value;
use tollgate_core::{
    Digest, RunId, StoreId,
    course::End,
    effect::Delivered,
    entry::EntryName,
    item::{Dependency, Shelf, SourceItem},
    record::Record,
};
use tollgate_tracker::{
    Delivery, DeliveryError, DeliveryRequest, FoundClaim, FoundRecord, Integrity, ItemRef, Ownership,
    RecordReport, ScanReport, Tracker, TrackerError,
};

use crate::{
    flaw::Flaw,
    history::Fact,
    line::{Line, Reach},
    project,
    world::Act,
};

/// What stands in a tracker.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    items: BTreeMap<String, SourceItem>,
    /// Records beside items, the oldest first, each with a number of its own.
    records: Vec<(u64, String, Record)>,
    files: BTreeMap<String, Digest>,
    /// The runs that work on items, as people see it there.
    marks: BTreeMap<String, RunId>,
    numbered: u64,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    name: String,
    shelves: Mutex<Shelves>,
}

impl Server {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), shelves: Mutex::default() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A person writes an item, or another text of it.
    pub(crate) fn write(&self, key: &str, kind: &str, text: &str, depends: Option<&str>) {
        let item = SourceItem {
            name: EntryName { tracker: self.name.clone(), key: key.to_owned() },
            url: Some(format!("{}/{key}", self.name)),
            kind: kind.to_owned(),
            title: format!("Item {key}"),
            body: text.to_owned(),
            author: Some("ines".to_owned()),
            labels: Vec::new(),
            created_at: None,
            closed: false,
            shelf: Shelf::Open,
            front_matter: serde_json::Map::from_iter([("kind".to_owned(), Value::from(kind))]),
            headings: BTreeMap::new(),
            depends: depends
                .map(|key| Dependency { key: key.to_owned(), source: "front-matter:depends".to_owned() })
                .into_iter()
                .collect(),
        };
        self.lock().items.insert(key.to_owned(), item);
    }

    /// A person changes what an item says.
    pub(crate) fn edit(&self, key: &str, text: &str) {
        if let Some(item) = self.lock().items.get_mut(key) {
            text.clone_into(&mut item.body);
        }
    }

    /// A person takes an item away.
    pub(crate) fn remove(&self, key: &str) {
        self.lock().items.remove(key);
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.lock().items.keys().cloned().collect()
    }

    /// The items that are done by their newest record.
    pub(crate) fn keys_done(&self) -> Vec<String> {
        let shelves = self.lock();
        let newest: BTreeMap<&String, &Record> =
            shelves.records.iter().map(|(_, key, record)| (key, record)).collect();
        let done = newest.into_iter().filter(|(_, record)| record.end == End::Done);
        done.map(|(key, _)| key.clone()).collect()
    }

    /// How many records of each run there are.
    pub(crate) fn records_by_run(&self) -> BTreeMap<RunId, usize> {
        let mut counts = BTreeMap::new();
        for (_, _, record) in &self.lock().records {
            *counts.entry(record.run).or_insert(0) += 1;
        }
        counts
    }

    /// Who works on which item, by what stands there.
    pub(crate) fn marks(&self) -> BTreeMap<String, RunId> {
        self.lock().marks.clone()
    }

    fn claims(&self) -> Vec<FoundClaim> {
        let found = |(key, run)| FoundClaim { item: ItemRef { key, url: None }, run: Some(run) };
        self.marks().into_iter().map(found).collect()
    }

    /// Takes a mark away, unless it is another run's by now.
    fn leave(&self, key: &str, run: Option<RunId>) {
        self.lock().marks.retain(|marked, by| marked != key || run.is_some_and(|run| run != *by));
    }

    fn scan(&self) -> ScanReport {
        ScanReport {
            items: self.lock().items.values().cloned().collect(),
            complete: true,
            ..ScanReport::default()
        }
    }

    fn records(&self) -> RecordReport {
        let found = |(number, key, record): &(u64, String, Record)| FoundRecord {
            place: format!("{}/{key}#{number}", self.name),
            beside: format!("{}/{key}", self.name),
            item: Some(key.clone()),
            id: record.run,
            account: Ok(record.clone()),
            integrity: Integrity::Intact,
        };
        RecordReport { records: self.lock().records.iter().map(found).collect(), ..RecordReport::default() }
    }

    /// The numbers of the records of a run, the oldest first.
    fn find(&self, run: RunId) -> Vec<u64> {
        self.lock()
            .records
            .iter()
            .filter(|(_, _, record)| record.run == run)
            .map(|(number, _, _)| *number)
            .collect()
    }

    fn add(&self, key: &str, record: &Record) {
        let mut shelves = self.lock();
        shelves.numbered += 1;
        let number = shelves.numbered;
        shelves.records.push((number, key.to_owned(), record.clone()));
    }

    fn add_by_marker(&self, key: &str, record: &Record) {
        if self.find(record.run).is_empty() {
            self.add(key, record);
        }
    }

    fn take_away(&self, numbers: &[u64]) {
        self.lock().records.retain(|(number, _, _)| !numbers.contains(number));
    }

    fn publish(&self, path: &str, digest: Digest, previous: Option<Digest>) -> Delivered {
        let mut shelves = self.lock();
        match shelves.files.get(path) {
            Some(there) if *there != digest && Some(*there) != previous => {
                let reason = format!("{path} is somebody else's");
                Delivered::Refused { reason }
            }
            _ => {
                shelves.files.insert(path.to_owned(), digest);
                done(path)
            }
        }
    }
}

fn done(reference: &str) -> Delivered {
    Delivered::Done { reference: Some(reference.to_owned()), data: Value::Null }
}

/// The tracker as a host speaks to it.
pub(crate) struct DistantTracker {
    line: Arc<Line>,
    server: Arc<Server>,
    /// Whether a record is a comment.
    comments: bool,
    /// Whether items are marked that somebody works on.
    marks: bool,
    flaw: Flaw,
}

impl std::fmt::Debug for DistantTracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.server.name)
    }
}

impl DistantTracker {
    pub(crate) fn new(line: Arc<Line>, server: Arc<Server>, flaw: Flaw) -> Self {
        let plan = &line.world.plan;
        let (comments, marks) = (plan.comments, project::marks_claims(plan.policy));
        Self { line, server, comments, marks, flaw }
    }

    async fn ask<T: Send + 'static>(
        &self,
        what: &'static str,
        act: impl FnOnce(&Server) -> T + Send + 'static,
    ) -> Result<T, DeliveryError> {
        let server = Arc::clone(&self.server);
        let act = move || Box::pin(async move { Ok(act(&server)) }) as Act<_>;
        let reach = if self.comments { Reach::Margin } else { Reach::Any };
        let broken = |why: &str| DeliveryError { message: why.to_owned(), retry_after: None };
        self.line.ask(what, reach, act, broken).await
    }

    async fn record(
        &self,
        key: String,
        record: Box<Record>,
        ambiguous: bool,
    ) -> Result<Delivered, DeliveryError> {
        let run = record.run;
        self.line.lives().await;
        self.line.world.note(Fact::Sends { host: self.line.host.clone(), run });
        if self.flaw == Flaw::RecordsAreDropped {
            return Ok(done(&key));
        }
        if !self.comments {
            self.ask("add a record", move |server| server.add_by_marker(&key, &record)).await?;
        } else {
            let read_back = ambiguous && self.flaw != Flaw::TrackerIsNotReadBack;
            if !read_back || self.ask("find a record", move |server| server.find(run)).await?.is_empty() {
                self.ask("add a record", move |server| server.add(&key, &record)).await?;
            }
        }
        let found = self.ask("find a record", move |server| server.find(run)).await?;
        match found.split_first() {
            Some((_, [])) => Ok(done(&run.to_string())),
            Some((_, doubled)) if self.flaw != Flaw::TrackerIsNotReadBack => {
                let doubled = doubled.to_vec();
                self.ask("take doubled records away", move |server| server.take_away(&doubled)).await?;
                Ok(done(&run.to_string()))
            }
            Some(_) => Ok(done(&run.to_string())),
            None => Err(DeliveryError {
                message: "it was not there when it was read back".into(),
                retry_after: None,
            }),
        }
    }
}

fn unread(error: DeliveryError) -> TrackerError {
    TrackerError::Io { place: "the tracker".into(), source: std::io::Error::other(error.message) }
}

#[async_trait]
impl Tracker for DistantTracker {
    fn name(&self) -> &str {
        &self.server.name
    }

    async fn claim_ownership(&self, _: StoreId) -> Result<Ownership, TrackerError> {
        Ok(Ownership::Owned)
    }

    async fn scan(&self) -> Result<ScanReport, TrackerError> {
        self.ask("read the items", Server::scan).await.map_err(unread)
    }

    async fn deliver(&self, request: DeliveryRequest) -> Result<Delivered, DeliveryError> {
        let key = request.item.key;
        match request.what {
            Delivery::Record(record) => self.record(key, record, request.ambiguous).await,
            Delivery::PublishFile { file, previous, .. } => {
                let act = move |server: &Server| server.publish(&file.path, file.artifact, previous);
                self.ask("publish a file", act).await
            }
            Delivery::Claim(mark) if self.marks => {
                let act = move |server: &Server| {
                    server.lock().marks.insert(key.clone(), mark.run);
                    done(&key)
                };
                self.ask("mark an item", act).await
            }
            Delivery::Leave(leave) => {
                let act = move |server: &Server| {
                    server.leave(&key, leave.run);
                    done(&key)
                };
                self.ask("take a mark away", act).await
            }
            Delivery::SetState(_) | Delivery::Adopted(_) | Delivery::Claim(_) => Ok(done(&key)),
        }
    }

    async fn claims(&self) -> Result<Vec<FoundClaim>, TrackerError> {
        self.ask("look for marks", Server::claims).await.map_err(unread)
    }

    async fn records(&self) -> Result<RecordReport, TrackerError> {
        self.ask("read the records", Server::records).await.map_err(unread)
    }
}

/// The tracker as somebody sees it who stands beside it.
#[derive(Debug)]
pub(crate) struct OnSite(pub(crate) Arc<Server>);

#[async_trait]
impl Tracker for OnSite {
    fn name(&self) -> &str {
        &self.0.name
    }

    async fn claim_ownership(&self, _: StoreId) -> Result<Ownership, TrackerError> {
        Ok(Ownership::Owned)
    }

    async fn scan(&self) -> Result<ScanReport, TrackerError> {
        Ok(self.0.scan())
    }

    async fn deliver(&self, _: DeliveryRequest) -> Result<Delivered, DeliveryError> {
        Err(DeliveryError { message: "nobody delivers by hand".into(), retry_after: None })
    }

    async fn records(&self) -> Result<RecordReport, TrackerError> {
        Ok(self.0.records())
    }
}
