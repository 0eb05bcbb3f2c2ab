//! Deliverers that are away or stuck for longer than their lease.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tollgate_core::{Clock, HostId, StoreId, Timestamp, effect::Delivered, time::SystemClock};
use tollgate_engine::Trackers;
use tollgate_store::Store;
use tollgate_tracker::{
    Delivery, DeliveryError, DeliveryRequest, FolderConfig, FolderTracker, Ownership, RecordReport,
    ScanReport, Tracker, TrackerError,
};

use crate::support::{Project, stage};

/// Clocks that jump together, as those of a machine that was asleep do.
#[derive(Debug, Default)]
struct JumpingClock {
    system: SystemClock,
    ahead: Mutex<Duration>,
}

impl JumpingClock {
    fn jump(&self, by: Duration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    fn ahead(&self) -> Duration {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        self.system.now().after(self.ahead())
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + self.ahead()
    }
}

/// What happens to the second delivery, with which the third was taken.
#[derive(Clone, Copy, PartialEq)]
enum Second {
    /// The host is asleep while it is under way, and another host takes what was taken.
    IsSleptOver,
    /// The tracker never answers.
    Hangs,
}

/// A folder whose second delivery does not go as it should.
struct Strange {
    folder: FolderTracker,
    second: Second,
    clock: Arc<JumpingClock>,
    store: Arc<dyn Store>,
    /// The key of each delivery, and whether it was to be read back first.
    asked: Mutex<Vec<(String, bool)>>,
}

impl std::fmt::Debug for Strange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.folder.fmt(f)
    }
}

#[async_trait]
impl Tracker for Strange {
    fn name(&self) -> &str {
        self.folder.name()
    }

    async fn claim_ownership(&self, store: StoreId) -> Result<Ownership, TrackerError> {
        self.folder.claim_ownership(store).await
    }

    async fn scan(&self) -> Result<ScanReport, TrackerError> {
        self.folder.scan().await
    }

    async fn deliver(&self, request: DeliveryRequest) -> Result<Delivered, DeliveryError> {
        if matches!(request.what, Delivery::Claim(_)) {
            return self.folder.deliver(request).await;
        }
        let number = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push((request.item.key.clone(), request.ambiguous));
            asked.len()
        };
        match (number, self.second) {
            // Until then the other two are not taken, so they are taken together.
            (1, _) => until_all_is_done(&*self.store).await,
            (2, Second::Hangs) => std::future::pending().await,
            (2, Second::IsSleptOver) => {
                // All of it while this host stands still: it is cut as soon as it could go on.
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(self.sleep_over()));
            }
            _ => {}
        }
        self.folder.deliver(request).await
    }

    async fn records(&self) -> Result<RecordReport, TrackerError> {
        self.folder.records().await
    }
}

impl Strange {
    /// Time passes, and another host takes what this one had taken.
    async fn sleep_over(&self) {
        self.clock.jump(LEASE * 2);
        self.store.sweep().await.unwrap();
        let thief = HostId("another".into());
        let taken = self.store.take_deliveries(&thief, Duration::ZERO, 9).await.unwrap();
        assert!(taken.len() >= 2, "what was taken is another's by now");
    }
}

/// As the projects here have it.
const LEASE: Duration = Duration::from_secs(5);

/// Waits until all three runs are over.
async fn until_all_is_done(store: &dyn Store) {
    while store.open_work().await.unwrap().undelivered < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs three entries; the deliveries in order, each with whether it was to be read back first.
async fn deliveries(second: Second) -> Vec<(String, bool)> {
    let clock = Arc::new(JumpingClock::default());
    let pipelines = [("good", stage("work", "{ do = \"ok\" }"))];
    let project = Project::with_clock(&pipelines, Arc::clone(&clock) as _).await;
    for key in ["A", "B", "C"] {
        project.item(key, "good");
    }
    let config = FolderConfig::new(project.path(), "backlog");
    let folder = FolderTracker::open(config, Arc::clone(&project.clock)).unwrap();
    let store = Arc::clone(&project.store);
    let strange = Arc::new(Strange { folder, second, clock, store, asked: Mutex::default() });
    let mut trackers = Trackers::default();
    trackers.add("work", Arc::clone(&strange) as _);
    let (host, heard) = project.host_on("first", trackers).await;
    host.pull().await;
    let outcome = host.run().await.unwrap();
    assert_eq!((outcome.done, outcome.left.unwrap().undelivered), (3, 0), "{}", heard.text());
    strange.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deliverer_that_was_asleep_sends_nothing_more_of_what_it_took() {
    let asked = deliveries(Second::IsSleptOver).await;
    let (before, after) = asked.split_at(2);
    assert!(before.iter().all(|(_, ambiguous)| !ambiguous), "{asked:?}");
    assert!(after.len() >= 2 && after.iter().all(|(_, ambiguous)| *ambiguous), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_hangs_is_cut_off_and_read_back_and_keeps_no_other_from_going_out() {
    let asked = deliveries(Second::Hangs).await;
    let flags: Vec<_> = asked.iter().map(|(_, ambiguous)| *ambiguous).collect();
    assert_eq!(flags, [false, false, false, true], "{asked:?}");
    assert_eq!(asked[1].0, asked[3].0, "the one that hung comes last");
}
