//! How soon the work goes on, by the times that the store wrote down.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, SystemTime},
};

use serde_json::Value;

use super::account::{Row, Tables};

/// How long a host that is not heard of keeps what it holds, by the policy of every project here.
pub(super) const LEASE: Duration = Duration::from_secs(5);

/// How much longer it may take until the work goes on.
pub(super) const BEYOND_LEASE: Duration = Duration::from_secs(5);

/// What was written down of a run.
struct Event {
    at: u64,
    kind: String,
    body: Value,
}

impl Event {
    fn of(row: &Row) -> Self {
        let body = row["body"].as_str().expect("an event says something");
        Self {
            at: row["at"].as_u64().expect("an event has a time"),
            kind: row["kind"].as_str().expect("an event has a kind").to_owned(),
            body: serde_json::from_str(body).expect("what it says is JSON"),
        }
    }

    fn host(&self) -> Option<&str> {
        self.body["host"].as_str()
    }
}

/// How long runs whose host was lost waited for the next one, from the end of the lease on; where that one began later, or somebody was
/// killed after that, from then on.
pub(super) fn of_lost_hosts(tables: &Tables, kills: &[u64]) -> Vec<Duration> {
    let seen: HashMap<_, _> =
        tables.rows("host").iter().map(|row| (row["id"].as_str(), row["seen_at"].as_u64())).collect();
    let mut runs = HashMap::<_, Vec<Event>>::new();
    for row in tables.rows("event") {
        runs.entry(row["run_seq"].as_u64()).or_default().push(Event::of(row));
    }
    let mut found = Vec::new();
    for events in runs.values() {
        let mut claimed_at = 0;
        let mut free_at = None;
        for event in events {
            match (event.kind.as_str(), free_at) {
                ("claimed", None) => claimed_at = event.at,
                ("claimed", Some(free_at)) => {
                    let began_at = event.host().and_then(began_at).unwrap_or_default();
                    let killed_at =
                        kills.iter().rfind(|kill| **kill <= event.at).copied().unwrap_or_default();
                    let may_go_on_at = began_at.max(free_at).max(killed_at);
                    found.push(Duration::from_millis(event.at.saturating_sub(may_go_on_at)));
                    claimed_at = event.at;
                }
                _ => {}
            }
            // Each sign of life renews what a host holds.
            let heard_at = seen.get(&event.host()).copied().flatten().unwrap_or_default();
            let lease_until = claimed_at.max(heard_at) + LEASE.as_millis() as u64;
            free_at = (event.kind == "lease-lapsed").then_some(lease_until);
        }
    }
    found
}

/// When a host began: its name says so.
fn began_at(host: &str) -> Option<u64> {
    let (_, number) = host.rsplit_once('-')?;
    Some(ulid::Ulid::from_string(number).ok()?.timestamp_ms())
}

/// When something was written down of what is done.
pub(super) fn signs(tables: &Tables) -> Vec<u64> {
    let times = |table: &str, column: &str| -> Vec<u64> {
        tables.rows(table).iter().filter_map(|row| row[column].as_u64()).collect()
    };
    [times("event", "at"), times("outbox", "settled_at")].concat()
}

/// How long after each kill there was a sign again, where that was before the next kill.
pub(super) fn of_kills(signs: &BTreeSet<u64>, kills: &[u64]) -> Vec<Duration> {
    let gaps = kills.iter().enumerate().filter_map(|(number, kill)| {
        let next = signs.range(kill + 1..).next()?;
        let is_last = kills.get(number + 1).is_none_or(|other| next < other);
        is_last.then(|| Duration::from_millis(next - kill))
    });
    gaps.collect()
}

/// In the unit of the store's times.
pub(super) fn millis_of(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).expect("it is later");
    u64::try_from(since.as_millis()).expect("it is not that late")
}
