//! What is waited for until it is on the disk, and what is not.

use std::{sync::Arc, time::Duration};

use tokio_postgres::Client;
use tollgate_core::{HostId, course::End};
use tollgate_store::Store as _;

use super::{open, server};
use crate::support::*;

/// Until somebody who is told to stop has stopped.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on which nothing is kept for certain until it is let go: it waits for another to have it as well.
async fn hold(client: &Client, is_held: bool) {
    let standbys = if is_held { "nobody" } else { "" };
    // The setting itself is not kept for certain by a transaction, and waits for nothing.
    client
        .batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{standbys}'"))
        .await
        .unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let shown = if is_held { "nobody" } else { "" };
    wait_until(client, &format!("SELECT current_setting('synchronous_standby_names') = '{shown}'")).await;
}

async fn wait_until(client: &Client, question: &str) {
    let is_so = async {
        while !client.query_one(question, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_so).await.expect(question);
}

#[test]
fn a_cap_is_free_before_the_disk_is_and_nobody_is_told_before_it_is() {
    let own = server::Server::start();
    block_on(async {
        let url = own.new_database("");
        let world = World::with_caps(&|clock| open(&url, clock), vec![cap("project", 10_000)]).await;
        let there = World {
            store: open(&url, Arc::clone(&world.clock)),
            clock: Arc::clone(&world.clock),
            lane: world.lane,
            host: HostId("there-2".into()),
        };
        world.admit(["A", "B", "C"].map(|key| world.arrival(key)).into()).await;
        // There is a row to wait for.
        world.work(End::Done).await;
        let client = super::connect(&url).await;
        hold(&client, true).await;
        // Of one host they would go together.
        let (world, there) = (Arc::new(world), Arc::new(there));
        let claims = [&world, &there].map(|world| {
            let world = Arc::clone(world);
            tokio::spawn(async move { world.claim().await.run.entry.key })
        });
        let both_are_done = "SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        wait_until(&client, both_are_done).await;
        assert!(claims.iter().all(|claim| !claim.is_finished()), "it is not on the disk");
        hold(&client, false).await;
        let mut keys = Vec::new();
        for claim in claims {
            keys.push(claim.await.unwrap());
        }
        keys.sort_unstable();
        assert_eq!(keys, ["B", "C"]);
        world.store.control().await.unwrap();
    });
}
