//! A store in one SQLite file.
//!
//! * [`writer`] owns the one connection that writes and shares commits; [`readers`] see the last commit.
//! * [`open`] holds the connections' settings and the lock; [`migrate`] brings the schema up to date.
//! * [`tx`] is one logical transaction; the other modules are what happens inside one, each with the queries of `sql/sqlite/`
//!   that it names by [`sql`].

mod adopt;
mod cancel;
mod children;
mod claim;
mod control;
mod copy;
mod dependency;
mod due;
mod entry;
mod escalation;
mod family;
mod guard;
mod inbox;
mod intake;
mod journal;
mod ledger;
mod live_run;
mod migrate;
mod newborn;
mod open;
mod opening;
mod outbox;
mod policy;
mod readers;
mod readiness;
mod rebuild;
mod reconcile;
mod report;
mod rows;
mod similar;
mod sql;
mod supplement;
mod tx;
mod wait;
mod write;
mod writer;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tollgate_core::{
    Clock, Digest, EntryId, HostId, Microcents, RunId, StoreId, Timestamp,
    approval::Decision,
    crash,
    entry::{EntryName, EntrySnapshot, EntryStatus},
    id::DeliveryId,
    journal::{Answer, Attempt},
    pins::Pins,
    pipeline::StepName,
    run::{Claim, RunSummary},
    step::StepKey,
    time::SystemClock,
};

use self::{
    open::HostLock,
    outbox::TakenDelivery,
    readers::Readers,
    similar::Compared,
    tx::{Columns as _, Failure, Tx, TxResult},
    writer::{StoreClock, Writer},
};
use crate::{
    StoreError,
    port::{
        AdoptionOutcome, AppliedPolicy, Arrival, Cancelled, CapBalanceReport, Change, ClaimOutcome,
        ClaimRequest, Control, Coverage, Delivery, DeliveryOutcome, DeliveryTicket, EntryDetail, EntryFilter,
        Escalation, EscalationFilter, EscrowAnswer, FoundAccount, History, Known, NewAdoption,
        NewCancellation, NewDecision, NewFieldValue, NewIntent, NewSignal, OpenWork, Opened, Opening, Page,
        PolicyApplication, Reading, Rebuilt, Reconciled, Rejudged, RescoreItem, Result, RunDetail, RunFilter,
        RunWrite, StopRequest, Store, StoredAdoption, StoredItem, Sweep,
    },
};

/// How to open a store.
pub struct SqliteOptions {
    /// Where it is; none for one that lives in memory and is gone when it is dropped.
    pub path: Option<PathBuf>,
    /// What the process is going to do with it.
    pub mode: OpenMode,
    /// Where the time comes from. The store never acts on an earlier time than it has acted on.
    pub clock: Arc<dyn Clock>,
}

/// What a process does with a store. Any number of processes may open one at the same time, of which one as [`OpenMode::Host`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Drives what is in it: takes the lock beside the file, makes the file when there is none and brings its schema up to date.
    /// Only a host claims and delivers.
    Host,
    /// Says something short (`stop`, `retry`) while a host may be driving: no lock; waits for the host's commits, not for the
    /// host.
    Client,
    /// Reads.
    ReadOnly,
}

/// A store in one SQLite file, or in memory.
pub struct SqliteStore {
    id: StoreId,
    mode: OpenMode,
    clock: StoreClock,
    /// None when it is opened for reading.
    writer: Option<Writer>,
    /// None when it lives in memory: then the one connection reads as well.
    readers: Option<Arc<Readers>>,
    /// After the writer, so that the lock is given back when the last commit is done.
    _lock: Option<HostLock>,
}

impl SqliteOptions {
    /// The store at `path`.
    pub fn at(path: impl Into<PathBuf>, mode: OpenMode) -> Self {
        Self { path: Some(path.into()), mode, clock: Arc::new(SystemClock::default()) }
    }

    /// A store in memory.
    pub fn in_memory() -> Self {
        Self { path: None, mode: OpenMode::Host, clock: Arc::new(SystemClock::default()) }
    }

    /// With this clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }
}

impl SqliteStore {
    /// Opens a store. Blocks while the schema is brought up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another host drives it, [`StoreError::NewerSchema`] when a later version wrote it,
    /// [`StoreError::NotFound`] when there is none and the mode does not make one, [`StoreError::Unreadable`] when the file is no
    /// whole database.
    pub fn open(options: SqliteOptions) -> Result<Self> {
        let SqliteOptions { path, mode, clock } = options;
        let lock = match &path {
            Some(path) => make_room(path, mode)?,
            None => None,
        };
        let location = path.as_ref().map_or_else(|| "memory".into(), |path| path.display().to_string());
        let connected = match (&path, mode) {
            (None, _) => open::in_memory(),
            (Some(path), OpenMode::ReadOnly) => open::reader(path),
            (Some(path), _) => open::writer(path),
        };
        let connected = connected.and_then(|mut connection| {
            match mode {
                OpenMode::Host => migrate::migrate(&mut connection, &location, clock.now())?,
                OpenMode::Client | OpenMode::ReadOnly => migrate::require_present(&connection, &location)?,
            }
            let about = Tx::new(&connection, Timestamp::default())
                .one(sql::STORE_GET, [], |row| Ok((row.parsed("id")?, row.time("seen_at")?)))?;
            let (id, seen) = about.ok_or_else(|| Failure::damaged("it has no row about itself"))?;
            Ok((connection, id, seen))
        });
        let (connection, id, seen) = connected.map_err(|failure| failure.while_opening(&location))?;
        let clock = StoreClock::new(clock, seen);
        let readers = path.map(|path| Arc::new(Readers::new(path, clock.clone())));
        let writer = match mode {
            OpenMode::Host | OpenMode::Client => Some(Writer::start(connection, clock.clone())?),
            OpenMode::ReadOnly => None,
        };
        Ok(Self { id, mode, clock, writer, readers, _lock: lock })
    }

    /// Copies the store in `original`, of whatever version and whoever drives it, to a new file: as it is at one commit. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when there is none; when anything fails, nothing is left at `copy`.
    pub fn copy(original: &Path, copy: &Path) -> Result<()> {
        make_room(original, OpenMode::ReadOnly)?;
        if copy.exists() {
            return Err(StoreError::Conflict(format!(
                "{} is there already; name a new file",
                copy.display()
            )));
        }
        copy::copy(original, copy).map_err(|failure| {
            // What is there is a part of a copy; the first failure is the one to tell.
            drop(std::fs::remove_file(copy));
            failure.while_doing("copy itself")
        })
    }

    /// Runs a logical transaction, perhaps more than once; what it did is kept once.
    async fn write_tx<T: Send + 'static>(
        &self,
        doing: &'static str,
        body: impl FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    ) -> Result<T> {
        let read_only =
            || StoreError::Conflict(format!("the store was opened for reading; it cannot {doing}"));
        self.writer.as_ref().ok_or_else(read_only)?.run(doing, body).await
    }

    /// As [`SqliteStore::write_tx`], for what only a host may do.
    async fn host_tx<T: Send + 'static>(
        &self,
        doing: &'static str,
        body: impl FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    ) -> Result<T> {
        if self.mode != OpenMode::Host {
            return Err(StoreError::Conflict(format!(
                "only the host that holds the store's lock may {doing}"
            )));
        }
        self.write_tx(doing, body).await
    }

    /// Compares arrivals with what is there, where their backlogs ask for it, so that no transaction that writes has to.
    async fn compared(&self, arrivals: Vec<Arrival>) -> Result<(Arc<Vec<Arrival>>, Compared)> {
        let arrivals = Arc::new(arrivals);
        if arrivals.iter().all(|arrival| arrival.guard.duplicate_thousandths.is_none()) {
            return Ok((arrivals, Compared::default()));
        }
        let compared = {
            let arrivals = Arc::clone(&arrivals);
            self.read_tx("compare arrivals", move |tx| similar::compare(tx, &arrivals)).await?
        };
        Ok((arrivals, compared))
    }

    async fn read_tx<T: Send + 'static>(
        &self,
        doing: &'static str,
        body: impl FnMut(&Tx<'_>) -> TxResult<T> + Send + 'static,
    ) -> Result<T> {
        match &self.readers {
            Some(readers) => readers.run(doing, body).await,
            None => self.write_tx(doing, body).await,
        }
    }
}

/// What must be there before a database can be opened: for a host its folder and the lock, for the others the file.
fn make_room(path: &Path, mode: OpenMode) -> Result<Option<HostLock>> {
    if mode != OpenMode::Host {
        return match path.exists() {
            true => Ok(None),
            false => Err(StoreError::NotFound { what: "store", name: path.display().to_string() }),
        };
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::Platform {
            doing: "make its folder",
            message: format!("{}: {e}", folder.display()),
        })?;
    }
    HostLock::take(path).map(Some)
}

#[async_trait]
impl Store for SqliteStore {
    fn id(&self) -> StoreId {
        self.id
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.clock.now())
    }

    async fn apply_policy(&self, application: PolicyApplication) -> Result<AppliedPolicy> {
        self.write_tx("apply a policy", move |tx| policy::apply(tx, &application)).await
    }

    async fn applied_policy(&self) -> Result<Option<AppliedPolicy>> {
        self.read_tx("read the policy", policy::applied).await
    }

    async fn pins(&self, digest: Digest) -> Result<Pins> {
        self.read_tx("read pins", move |tx| policy::pins(tx, digest)).await
    }

    async fn admit(&self, reconcile: i64, arrivals: Vec<Arrival>) -> Result<Vec<Change>> {
        let (arrivals, compared) = self.compared(arrivals).await?;
        self.write_tx("take arrivals in", move |tx| intake::admit(tx, reconcile, &arrivals, &compared)).await
    }

    async fn open_entry(&self, opening: Opening) -> Result<Opened> {
        let (_, compared) = self.compared(vec![opening.arrival.clone()]).await?;
        self.write_tx("open an entry", move |tx| opening::open(tx, &opening, &compared)).await
    }

    async fn first_seen(&self, tracker: &str, keys: Vec<String>) -> Result<HashMap<String, Timestamp>> {
        let tracker = tracker.to_owned();
        self.read_tx("find entries", move |tx| intake::first_seen(tx, &tracker, &keys)).await
    }

    async fn known(&self, tracker: &str, keys: Vec<String>) -> Result<HashMap<String, Known>> {
        let tracker = tracker.to_owned();
        self.read_tx("find what is known", move |tx| supplement::list(tx, &tracker, &keys)).await
    }

    async fn begin_reconcile(&self, backlog: &str, tracker: &str) -> Result<i64> {
        let (backlog, tracker) = (backlog.to_owned(), tracker.to_owned());
        self.write_tx("begin a reconcile", move |tx| reconcile::begin(tx, &backlog, &tracker)).await
    }

    async fn finish_reconcile(&self, reconcile: i64, reading: Reading) -> Result<Reconciled> {
        self.write_tx("end a reconcile", move |tx| reconcile::finish(tx, reconcile, &reading)).await
    }

    async fn lift_due(&self) -> Result<u64> {
        self.write_tx("lift what is due", due::lift).await
    }

    async fn due_for_rescoring(&self, limit: u32) -> Result<Vec<RescoreItem>> {
        self.read_tx("find scores that are due", move |tx| due::for_rescoring(tx, limit)).await
    }

    async fn rescore(&self, items: Vec<Rejudged>) -> Result<u64> {
        self.write_tx("give entries new places", move |tx| due::rescore(tx, &items)).await
    }

    async fn adopt(&self, adoptions: Vec<NewAdoption>) -> Result<Vec<AdoptionOutcome>> {
        let store = self.id;
        self.write_tx("adopt entries", move |tx| adopt::adopt(tx, store, &adoptions)).await
    }

    async fn has_read_records(&self, tracker: &str) -> Result<bool> {
        let tracker = tracker.to_owned();
        self.read_tx("find out what was read", move |tx| rebuild::has_read(tx, &tracker)).await
    }

    async fn rebuild(&self, tracker: &str, accounts: Vec<FoundAccount>, complete: bool) -> Result<Rebuilt> {
        let tracker = tracker.to_owned();
        self.write_tx("take over records", move |tx| rebuild::rebuild(tx, &tracker, &accounts, complete))
            .await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<ClaimOutcome> {
        self.host_tx("claim a run", move |tx| claim::claim(tx, &request)).await
    }

    async fn renew_leases(&self, host: &HostId, lease: Duration) -> Result<Vec<Claim>> {
        let host = host.clone();
        self.host_tx("renew leases", move |tx| claim::renew_leases(tx, &host, lease)).await
    }

    async fn release(&self, claim: Claim, reason: &str) -> Result<()> {
        let reason = reason.to_owned();
        self.host_tx("release a run", move |tx| claim::release(tx, claim, &reason)).await
    }

    async fn sweep(&self) -> Result<Sweep> {
        self.host_tx("sweep", claim::sweep).await
    }

    async fn write(&self, write: RunWrite) -> Result<()> {
        let doing = "write what a driver did";
        let mut write = write::PreparedWrite::of(write).map_err(|failure| failure.while_doing(doing))?;
        self.host_tx(doing, move |tx| write::write(tx, &mut write)).await
    }

    async fn reserve(&self, claim: Claim, amount: Microcents) -> Result<EscrowAnswer> {
        self.host_tx("set money aside", move |tx| write::reserve(tx, claim, amount)).await
    }

    async fn attempt(&self, run: RunId, step: &StepKey) -> Result<Option<Attempt>> {
        let step = step.clone();
        self.read_tx("read a journal", move |tx| journal::attempt(tx, run, &step)).await
    }

    async fn journal_intend(&self, intent: NewIntent) -> Result<EscrowAnswer> {
        crash::point("journal.intend.before");
        let answer = self.host_tx("write an intent", move |tx| journal::intend(tx, &intent)).await;
        crash::point("journal.intend.after");
        answer
    }

    async fn journal_answer(&self, claim: Claim, step: &StepKey, call: u32, answer: Answer) -> Result<()> {
        let step = step.clone();
        crash::point("journal.answer.before");
        let written =
            self.host_tx("write an answer", move |tx| journal::answer(tx, claim, &step, call, &answer)).await;
        crash::point("journal.answer.after");
        written
    }

    async fn journal_withdraw(&self, claim: Claim, step: &StepKey, call: u32) -> Result<()> {
        let step = step.clone();
        self.host_tx("take back an intent", move |tx| journal::withdraw(tx, claim, &step, call)).await
    }

    async fn history(&self, pipeline: &str, component: &StepName, plugin: Digest) -> Result<History> {
        let (pipeline, component) = (pipeline.to_owned(), component.clone());
        self.read_tx("read a history", move |tx| report::history(tx, &pipeline, &component, plugin)).await
    }

    async fn take_deliveries(&self, host: &HostId, lease: Duration, max: u32) -> Result<Vec<Delivery>> {
        let host = host.clone();
        let doing = "take deliveries";
        let taken = self.host_tx(doing, move |tx| outbox::take(tx, &host, lease, max)).await?;
        let read = |taken: TakenDelivery| taken.read().map_err(|failure| failure.while_doing(doing));
        taken.into_iter().map(read).collect()
    }

    async fn settle_deliveries(
        &self,
        outcomes: Vec<(DeliveryTicket, DeliveryOutcome)>,
    ) -> Result<Vec<DeliveryId>> {
        self.host_tx("settle deliveries", move |tx| outbox::settle(tx, &outcomes)).await
    }

    async fn stop(&self, request: StopRequest) -> Result<()> {
        self.write_tx("stop", move |tx| control::stop(tx, &request)).await
    }

    async fn resume(&self) -> Result<()> {
        self.write_tx("resume", control::resume).await
    }

    async fn control(&self) -> Result<Control> {
        self.read_tx("read what hosts were asked", control::get).await
    }

    async fn set_field(&self, entry: EntryId, new: NewFieldValue) -> Result<()> {
        self.write_tx("set a field", move |tx| supplement::set_field(tx, entry, &new)).await
    }

    async fn retry(&self, entry: EntryId, who: &str, reason: &str) -> Result<()> {
        let (who, reason) = (who.to_owned(), reason.to_owned());
        self.write_tx("retry an entry", move |tx| control::retry(tx, entry, &who, &reason)).await
    }

    async fn let_in(&self, entry: EntryId, who: &str, why: &str) -> Result<()> {
        let (who, why) = (who.to_owned(), why.to_owned());
        self.write_tx("let an entry in", move |tx| guard::let_in(tx, entry, &who, &why)).await
    }

    async fn decide(&self, run: RunId, decision: NewDecision) -> Result<Decision> {
        self.write_tx("answer a run", move |tx| inbox::decide(tx, run, &decision)).await
    }

    async fn cancel(&self, run: RunId, new: NewCancellation) -> Result<Cancelled> {
        self.write_tx("cancel a run", move |tx| cancel::cancel(tx, run, &new)).await
    }

    async fn cancellations(&self, host: &HostId) -> Result<Vec<Claim>> {
        let host = host.clone();
        self.read_tx("look for cancelled runs", move |tx| cancel::of_host(tx, &host)).await
    }

    async fn signal(&self, signal: NewSignal) -> Result<u64> {
        self.write_tx("say what happened", move |tx| wait::signal(tx, &signal)).await
    }

    async fn entries(&self, filter: EntryFilter) -> Result<Page<EntryStatus>> {
        self.read_tx("list entries", move |tx| report::entries(tx, &filter)).await
    }

    async fn entry(&self, key: &str, tracker: Option<&str>) -> Result<EntryDetail> {
        let (key, tracker) = (key.to_owned(), tracker.map(str::to_owned));
        self.read_tx("read an entry", move |tx| report::entry(tx, &key, tracker.as_deref())).await
    }

    async fn items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>> {
        self.read_tx("read what sources said", move |tx| report::items(tx, after, limit)).await
    }

    async fn internal_items(&self, after: Option<EntryId>, limit: u32) -> Result<Vec<StoredItem>> {
        self.read_tx("read internal entries", move |tx| report::internal_items(tx, after, limit)).await
    }

    async fn snapshot(&self, revision: Digest) -> Result<EntrySnapshot> {
        self.read_tx("read a revision", move |tx| report::snapshot(tx, revision)).await
    }

    async fn runs(&self, filter: RunFilter) -> Result<Page<RunSummary>> {
        self.read_tx("list runs", move |tx| report::runs(tx, &filter)).await
    }

    async fn run(&self, id: RunId) -> Result<RunDetail> {
        self.read_tx("read a run", move |tx| report::run(tx, id)).await
    }

    async fn escalations(&self, filter: EscalationFilter) -> Result<Page<Escalation>> {
        self.read_tx("list what waits for a person", move |tx| escalation::list(tx, &filter)).await
    }

    async fn newest_run(&self, entry: &EntryName) -> Result<Option<RunId>> {
        let entry = entry.clone();
        self.read_tx("find the newest run", move |tx| report::newest_run(tx, &entry)).await
    }

    async fn run_ids(&self) -> Result<Vec<RunId>> {
        self.read_tx("list runs", report::run_ids).await
    }

    async fn adoptions(&self) -> Result<Vec<StoredAdoption>> {
        self.read_tx("list adoptions", |tx| adopt::list(tx, None)).await
    }

    async fn coverage(&self) -> Result<Vec<Coverage>> {
        self.read_tx("count entries", report::coverage).await
    }

    async fn open_work(&self) -> Result<OpenWork> {
        self.read_tx("count what is left to do", report::open_work).await
    }

    async fn cap_balances(&self) -> Result<Vec<CapBalanceReport>> {
        self.read_tx("read caps", policy::cap_balances).await
    }
}
