//! Hints that there is something to do, from whoever shares the database.
//!
//! Who changes something alone says so with its commit. What is done beside others is not said: its own host knows, and the server would
//! have all who say something commit one after the other. A hint may be missed; who listens looks from time to time all the same.

use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::{runtime::Builder, sync::Notify};
use tokio_postgres::AsyncMessage;

use super::{address::Address, placeholders::Numbered, purpose::Purpose};
use crate::sql;

/// How long a listener that lost its connection leaves the server alone.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// Listens for hints, on a thread and a connection of its own, until it is dropped.
pub(super) struct Hints {
    heard: Arc<Notify>,
    over: Arc<Notify>,
}

impl Hints {
    /// Begins to listen. Where no thread can be had for it, nothing is ever heard.
    pub(super) fn listen(address: Arc<Address>) -> Self {
        let hints = Self { heard: Arc::default(), over: Arc::default() };
        let (heard, over) = (Arc::clone(&hints.heard), Arc::clone(&hints.over));
        let listening = std::thread::Builder::new().name("hints".into()).spawn(move || {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                tokio::select! {
                    () = over.notified() => {}
                    () = listen_on(&address, &heard) => {}
                }
            });
        });
        if let Err(error) = listening {
            tracing::warn!(%error, "no hints from the store's database: there is no thread to listen on");
        }
        hints
    }

    /// Waits for a hint. One that came while nobody waited is not lost.
    pub(super) async fn heard(&self) {
        self.heard.notified().await;
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.over.notify_one();
    }
}

/// Listens, again and again.
async fn listen_on(address: &Address, heard: &Notify) {
    loop {
        if let Err(error) = hear(address, heard).await {
            tracing::debug!(%error, "the listener for hints lost its connection");
        }
        tokio::time::sleep(AFTER_TROUBLE).await;
    }
}

/// Listens until the connection ends.
async fn hear(address: &Address, heard: &Notify) -> Result<(), tokio_postgres::Error> {
    let (client, mut io) = Purpose::Hints.settle(&address.config).connect(address.tls.clone()).await?;
    let asks = async {
        let row = client.query_one(&Numbered::of(sql::HINT_CHANNEL.postgres).text, &[]).await?;
        client.batch_execute(&format!("LISTEN {}", row.try_get::<_, String>("channel")?)).await?;
        // What was said before, nobody heard.
        heard.notify_one();
        std::future::pending().await
    };
    let is_told = async {
        while let Some(message) = poll_fn(|context| io.poll_message(context)).await {
            if matches!(message?, AsyncMessage::Notification(_)) {
                heard.notify_one();
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = is_told => ended,
        failed = asks => failed,
    }
}
