//! What must agree in a store at every commit, checked by counting again what it keeps count of.

use std::path::Path;

use tokio_postgres::{Client, IsolationLevel, SimpleQueryMessage};
use tollgate_store::{SqliteStore, doctor::SENTENCES};

#[track_caller]
pub(crate) fn everything_agrees(store: &Path) {
    let found = SqliteStore::examine(store);
    assert!(found.is_readable && !found.has_faults(), "{found:#?}");
}

/// The same of a store in PostgreSQL, at one moment.
pub(crate) async fn everything_agrees_in(client: &mut Client) {
    let moment = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let moment = moment.start().await.unwrap();
    for sentence in SENTENCES {
        let text = sentence.text;
        let found = moment.simple_query(&sentence.in_postgres()).await;
        let found = found.unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let rows: Vec<_> =
            found.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).collect();
        assert!(rows.is_empty(), "it is not so that {text}: {rows:?}");
    }
    moment.commit().await.unwrap();
}
