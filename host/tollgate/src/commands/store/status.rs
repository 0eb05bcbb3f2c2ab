//! `tollgate store status`.

use std::time::Duration;

use clap::Args;
use tollgate_core::Timestamp;
use tollgate_store::{
    OpenMode,
    port::{About, KnownHost},
};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{
        json::StoreStatus,
        printer::Printer,
        text::{bytes, count, duration, time},
    },
};

/// Show where the store is, its version, what is in it, and which hosts work on it
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

/// A host that was not heard of for so long is no more shown.
const HOSTS_SHOWN_MS: i64 = 24 * 60 * 60 * 1000;

pub(crate) async fn run(context: &Context, _: StatusArgs) -> Result<Exit> {
    let project = context.project()?;
    let about = project.archive(OpenMode::ReadOnly).await?.about().await?;
    let status = StoreStatus { address: super::address(&project), database: super::kind(&project), about };
    context.printer.show(&status, |status| text(&context.printer, status))?;
    Ok(Exit::Done)
}

fn text(printer: &Printer, status: &StoreStatus) -> String {
    let StoreStatus { address, database, about } = status;
    let mut lines = vec![
        format!("{database} at {address}"),
        format!("id      {}, made at {}", about.id, time(about.made_at)),
        format!("schema  version {} (`{}`)", about.schema.version, about.schema.name),
        format!("size    {}", bytes(about.size_bytes)),
        format!(
            "holds   {}, {} of which {} under way, {}",
            count(about.entries, "entry", "entries"),
            count(about.runs, "run", "runs"),
            match about.live_runs {
                1 => "1 is".to_owned(),
                live => format!("{live} are"),
            },
            count(about.events, "event", "events")
        ),
        outbox(about),
    ];
    if let Some(moved) = &about.moved {
        lines.push(format!(
            "moved   to {} at {}: no host uses it; `tollgate store stay` takes that back",
            moved.to,
            time(moved.at)
        ));
    }
    let lately = |host: &&KnownHost| ago_ms(about.now, host.seen_at) <= HOSTS_SHOWN_MS;
    let hosts: Vec<_> = about.hosts.iter().filter(lately).collect();
    if hosts.is_empty() {
        lines.push("no host was heard of within a day".into());
    } else {
        let mut table = printer.table(&["host", "version", "labels", "heard of"]);
        for host in hosts {
            table.row([
                host.id.0.clone(),
                host.version.clone().unwrap_or_default(),
                host.labels.join(", "),
                heard(about.now, host),
            ]);
        }
        lines.push(table.render());
    }
    lines.join("\n")
}

fn outbox(about: &About) -> String {
    match (about.undelivered, about.undelivered_since) {
        (0, _) | (_, None) => "outbox  nothing is to be delivered".into(),
        (undelivered, Some(since)) if since > about.now => {
            format!("outbox  {undelivered} to be delivered, none before {}", time(since))
        }
        (undelivered, Some(since)) => {
            format!("outbox  {undelivered} to be delivered, the longest due for {}", span(about.now, since))
        }
    }
}

fn heard(now: Timestamp, host: &KnownHost) -> String {
    let works = if host.is_at_work(now) { "" } else { "; it works no more" };
    format!("{} ago{works}", span(now, host.seen_at))
}

fn span(now: Timestamp, since: Timestamp) -> String {
    duration(Duration::from_millis(ago_ms(now, since).max(0).unsigned_abs()))
}

fn ago_ms(now: Timestamp, since: Timestamp) -> i64 {
    now.as_millis() - since.as_millis()
}
