//! How a store speaks to its database, and what becomes of it when the database does not answer.

use std::{
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use tollgate_core::time::ManualClock;
use tollgate_store::{OpenMode, PostgresOptions, PostgresStore, Store as _, StoreError};

use super::{open, server};
use crate::support::*;

fn try_open(url: &str) -> Result<PostgresStore, StoreError> {
    let clock = Arc::new(ManualClock::at(start()));
    PostgresStore::open(PostgresOptions { url: url.to_owned(), mode: OpenMode::Host, clock: Some(clock) })
}

#[test]
fn a_certificate_is_asked_for_what_the_address_says() {
    let url = server::new_database();
    let issuer = server::issuer().display().to_string();
    let own = |mode: &str| url.replace("sslmode=disable", &format!("sslmode={mode}&sslrootcert={issuer}"));
    let by_name = |mode: &str| own(mode).replace("127.0.0.1", "localhost");
    for trusted in [own("verify-ca"), by_name("verify-full"), own("require"), by_name("prefer")] {
        try_open(&trusted).unwrap_or_else(|error| panic!("{trusted}: {error}"));
    }
    try_open(&url.replace("disable", "require")).unwrap();
    for strange in [own("verify-full"), url.replace("disable", "verify-ca")] {
        let error = try_open(&strange).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("certificate"), "{strange}: {error}");
    }
    block_on(async {
        let store = try_open(&by_name("verify-full")).unwrap();
        store.now().await.unwrap();
        let hidden = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                      WHERE datname = current_database() AND application_name = 'tollgate'";
        let row = super::connect(&url).await.query_one(hidden, &[]).await.unwrap();
        assert_eq!(row.get::<_, Option<bool>>(0), Some(true));
    });
}

#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    let url = server::new_database_with("ENCODING 'LATIN1' TEMPLATE template0");
    let Err(StoreError::Conflict(text)) = try_open(&url) else { panic!("it was opened") };
    assert!(text.contains("LATIN1") && text.contains("UTF8"), "{text}");
}

/// PostgreSQL refuses one character, and a text from anywhere may have it.
#[test]
fn a_nul_in_a_text_harms_nothing_else() {
    block_on(async {
        let world = World::new(&|clock| open(&server::new_database(), clock)).await;
        let mut strange = world.arrival("A").says("a \0 and \\u0000");
        for title in [&mut strange.item.title, &mut strange.snapshot.title] {
            *title = "a \0 title".into();
        }
        world.admit(vec![strange.clone(), world.arrival("B")]).await;
        let entry = world.store.entry("A", None).await.unwrap();
        assert_eq!(entry.status.title, "a \u{fffd} title");
        let claimed = world.claim().await;
        assert_eq!(claimed.snapshot, strange.snapshot, "what is worked on is what was said");
        world.finish(&claimed, failed("it said \0")).await;
        let detail = world.store.run(claimed.claim.run).await.unwrap();
        tollgate_core::event::ChainHead::verify(claimed.claim.run, &detail.events).unwrap();
        assert_eq!(world.store.first_seen(TRACKER, vec!["B".into(), "\0".into()]).await.unwrap().len(), 1);
        assert!(world.store.escalations(Default::default()).await.unwrap().rows.is_empty());
    });
}

/// Stands between a store and its database, until it is cut.
struct Line {
    port: u16,
    to: u16,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn new(to: u16) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { port, to, ends: Arc::default() }
    }

    /// Passes on what is said by whoever connects first, as often as it is told to.
    fn carry(&self, connections: usize) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        let (to, ends) = (self.to, Arc::clone(&self.ends));
        std::thread::spawn(move || {
            for here in listener.incoming().take(connections) {
                let (here, there) = (here.unwrap(), TcpStream::connect(("127.0.0.1", to)).unwrap());
                ends.lock().unwrap().extend([here.try_clone().unwrap(), there.try_clone().unwrap()]);
                let (mut from_here, mut to_there) = (here.try_clone().unwrap(), there.try_clone().unwrap());
                let (mut from_there, mut to_here) = (there, here);
                std::thread::spawn(move || std::io::copy(&mut from_here, &mut to_there));
                std::thread::spawn(move || std::io::copy(&mut from_there, &mut to_here));
            }
        });
    }

    fn cut(&self) {
        for end in self.ends.lock().unwrap().drain(..) {
            drop(end.shutdown(std::net::Shutdown::Both));
        }
    }
}

#[test]
fn a_server_that_goes_away_is_told_and_found_again() {
    let url = server::new_database();
    let port = url.split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    let line = Line::new(port.parse().unwrap());
    line.carry(1);
    let through = url.replace(&port, &line.port.to_string());
    block_on(async {
        let world = World::new(&|clock| open(&through, clock)).await;
        line.cut();
        let error = world.store.claim(world.request()).await.unwrap_err();
        let text = error.to_string();
        let is_told = matches!(
            error,
            StoreError::Platform { doing: "claim a run", .. } | StoreError::Unreachable { .. }
        );
        assert!(is_told, "{text}");
        assert!(text.contains(&format!("127.0.0.1:{}", line.port)), "{text}");
        line.carry(1);
        world.claim_nothing().await;
    });
}

#[test]
fn a_hint_says_that_another_host_made_work() {
    let url = server::new_database();
    block_on(async {
        let here = World::new(&|clock| open(&url, clock)).await;
        let there = open(&url, Arc::clone(&here.clock));
        let heard = |within| tokio::time::timeout(within, there.changed());
        heard(Duration::from_secs(30)).await.expect("who begins to listen has missed something");
        here.admit(vec![here.arrival("A")]).await;
        heard(Duration::from_secs(30)).await.expect("there is work");
    });
}

#[test]
fn the_latest_time_is_never_forgotten() {
    let url = server::new_database();
    block_on(async {
        let world = World::new(&|clock| open(&url, clock)).await;
        world.clock.advance(Duration::from_secs(3_600));
        world.admit(vec![world.arrival("A")]).await;
        let later = try_open(&url).unwrap().now().await.unwrap();
        assert_eq!(later, start().after(Duration::from_secs(3_600)), "whatever its own clock says");
    });
}
