//! The store as a whole: how it stands, and how it moves from one database to another.
//!
//! * [`format`](mod@format) is what an export looks like, [`tables`] what is in it.
//! * [`write`](mod@write) writes one, [`read`] reads and judges it, [`load`] takes it in; [`chains`] computes the chains of all runs again.

mod chains;
mod format;
mod load;
mod read;
mod tables;

mod write;

use async_trait::async_trait;
use tollgate_core::HostId;

use crate::{
    StoreError,
    doctor::{self, Finding},
    port::{About, Archive, ExportSummary, KnownHost, Result, SchemaVersion, Sink, Source},
    rules::{Access, Database},
    schema, sql,
    tx::{Failure, Tx, TxResult, json_of, named_params},
};

#[async_trait]
impl<D: Database> Archive for D {
    async fn about(&self) -> Result<About> {
        self.transact(Access::Read, "look at itself", about).await
    }

    async fn contradictions(&self) -> Result<Vec<Finding>> {
        self.transact(Access::Read, "look for contradictions", |tx| {
            doctor::find_contradictions(tx, doctor::BEGIN_ANEW)
        })
        .await
    }

    async fn register(&self, host: &HostId, labels: &[String]) -> Result<()> {
        let (host, labels) = (host.clone(), labels.to_vec());
        self.transact(Access::Drive, "register a host", move |tx| {
            let params = named_params! {
                ":id": host.0,
                ":now": tx.now.as_millis(),
                ":version": env!("CARGO_PKG_VERSION"),
                ":schema": schema::KNOWN,
                ":labels": json_of(&labels)?,
            };
            tx.run(sql::HOST_REGISTER, params)?;
            Ok(())
        })
        .await
    }

    async fn leave(&self, host: &HostId) -> Result<()> {
        let host = host.clone();
        self.transact(Access::Drive, "let a host go", move |tx| {
            tx.run(sql::LOST_HOST_DELETE, named_params! { ":host": host.0 })?;
            tx.run(sql::HOST_DELETE, named_params! { ":id": host.0 })?;
            Ok(())
        })
        .await
    }

    async fn export(&self, to: Sink) -> Result<ExportSummary> {
        let mut to = Some(to);
        self.transact(Access::Read, "export itself", move |tx| {
            // What was written cannot be taken back.
            let to =
                to.take().ok_or_else(|| Failure::Database("it was interrupted; export it again".into()))?;
            let mut to = to.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            write::store(tx, &mut *to)
        })
        .await
    }

    async fn import(&self, from: Source) -> Result<ExportSummary> {
        // All of it is judged before anything is written, so what is wrong is told in the words of exports.
        let judged = Source::clone(&from);
        let checked = tokio::task::spawn_blocking(move || load::check(&judged)).await;
        checked.map_err(|e| StoreError::Export(e.to_string()))??;
        self.transact(Access::Write, "import an export", move |tx| load::store(tx, &from)).await
    }

    async fn move_to(&self, place: &str) -> Result<()> {
        let place = place.to_owned();
        self.transact(Access::Write, "mark itself as moved", move |tx| move_to(tx, &place)).await
    }

    async fn stay(&self) -> Result<bool> {
        self.transact(Access::Write, "take back that it moved", |tx| Ok(tx.run(sql::STORE_STAY, &[])? > 0))
            .await
    }
}

fn about(tx: &Tx<'_>) -> TxResult<About> {
    let hosts = tx.all(sql::HOST_LIST, &[], |row| {
        Ok(KnownHost {
            id: HostId(row.plain("id")?),
            seen_at: row.time("seen_at")?,
            version: row.plain("version")?,
            labels: row.json_or_none("labels")?.unwrap_or_default(),
        })
    })?;
    let about = tx.one(sql::STORE_ABOUT, &[], |row| {
        Ok(About {
            id: row.parsed("id")?,
            made_at: row.time("made_at")?,
            schema: SchemaVersion {
                version: row.plain("version")?,
                name: row.plain("name")?,
                needs: row.plain("needs")?,
            },
            moved: schema::moved(row)?,
            hosts: Vec::new(),
            size_bytes: row.count("size_bytes")?,
            entries: row.count("entries")?,
            runs: row.count("runs")?,
            live_runs: row.count("live_runs")?,
            events: row.count("events")?,
            undelivered: row.count("undelivered")?,
            undelivered_since: row.time_or_none("undelivered_since")?,
            now: tx.now,
        })
    })?;
    let about = about.ok_or_else(|| Failure::damaged("it has no row about itself"))?;
    Ok(About { hosts, ..about })
}

fn move_to(tx: &Tx<'_>, place: &str) -> TxResult<()> {
    let drivers = tx.all(sql::HOST_LIST_DRIVING, named_params! { ":now": tx.now.as_millis() }, |row| {
        row.plain::<String>("host")
    })?;
    if !drivers.is_empty() {
        return Err(StoreError::Conflict(format!(
            "{} still works on the store; `tollgate stop` ends every host, then try again",
            drivers.join(", ")
        ))
        .into());
    }
    tx.run(sql::STORE_MOVE, named_params! { ":to": place, ":now": tx.now.as_millis() })?;
    Ok(())
}
