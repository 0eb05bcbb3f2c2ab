//! `tollgate backlog rank`.

mod as_of;
mod keys;
mod named;

use std::{collections::HashMap, path::PathBuf};

use clap::Args;
use tollgate_core::entry::{EntryState, EntryStatus};
use tollgate_store::{OpenMode, Store, port::EntryFilter};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{
        json::{RankList, Ranked},
        printer::{Printer, Tone},
        text::{count, number, score, time},
    },
};

/// Show the order in which entries run, of all that wait or of those that are named
///
/// Named entries stand in the order of the whole backlog, with their place in it. One that is held stands where it would without
/// its holds.
#[derive(Debug, Args)]
pub(crate) struct RankArgs {
    /// Order these entries only; `-` reads them from standard input, one a line
    #[arg(value_name = "ENTRY")]
    entries: Vec<String>,
    /// Order the entries that this file names, one a line
    #[arg(long, value_name = "PATH", conflicts_with = "entries")]
    file: Option<PathBuf>,
    /// Show every term of every score
    #[arg(long)]
    explain: bool,
    /// Compute the order of another day, past or future, from what is stored: a date, or a time in RFC 3339. A date is the first
    /// moment of it in the zone of the backlog
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Show entries of this backlog only
    #[arg(long, value_name = "NAME")]
    backlog: Option<String>,
    /// Show at most this many; 0 shows all. Entries that are named are all shown
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

pub(crate) async fn run(context: &Context, args: RankArgs) -> Result<Exit> {
    let project = context.project()?;
    let named = keys::read(&args.entries, args.file.as_deref())?;
    let as_of = match &args.as_of {
        Some(text) => Some(as_of::time(&project.policy, args.backlog.as_deref(), text)?),
        None => None,
    };
    let store = project.store(OpenMode::ReadOnly).await?;
    let list = match (named, as_of) {
        (None, None) => waiting(&*store, &args).await?,
        (Some(named), None) => named::rank(&*store, &project, &named, &args).await?,
        (named, Some(when)) => as_of::rank(context, &*store, &project, named.as_deref(), when, &args).await?,
    };
    context.printer.show(&list, |list| text(&context.printer, list))?;
    for name in &list.unknown {
        context.printer.tagged(Tone::Bad, "error", format!("there is no entry `{name}`"));
    }
    Ok(if list.unknown.is_empty() { Exit::Done } else { Exit::Mistake })
}

/// Everything that can run, as the lanes have it.
async fn waiting(store: &dyn Store, args: &RankArgs) -> Result<RankList> {
    let filter = EntryFilter {
        backlog: args.backlog.clone(),
        states: vec![EntryState::Ready],
        limit: args.limit,
        offset: 0,
    };
    let page = store.entries(filter).await?;
    Ok(RankList {
        entries: ranked(store, page.rows, args.explain).await?,
        total: page.total,
        ..RankList::default()
    })
}

/// Entries with their places: the store gives them in the order of their lanes.
async fn ranked(store: &dyn Store, entries: Vec<EntryStatus>, explain: bool) -> Result<Vec<Ranked>> {
    let mut places: HashMap<(String, Option<String>), u64> = HashMap::new();
    let mut ranked = Vec::new();
    for status in entries {
        let place = places.entry((status.backlog.clone(), status.pipeline.clone())).or_default();
        *place += 1;
        let terms = match explain {
            true => store.entry(&status.name.key, Some(&status.name.tracker)).await?.terms,
            false => Vec::new(),
        };
        ranked.push(Ranked { position: *place, status, terms });
    }
    Ok(ranked)
}

fn text(printer: &Printer, list: &RankList) -> String {
    let mut parts = Vec::new();
    if let Some(when) = list.as_of {
        parts.push(format!("As of {}, computed from what is stored:", time(when)));
    }
    match list.entries.is_empty() {
        true if list.without_place.is_empty() && list.unknown.is_empty() => {
            parts.push("nothing waits".to_owned())
        }
        true => {}
        false => parts.push(table(printer, list)),
    }
    let placeless =
        list.without_place.iter().map(|entry| format!("{} has no place: {}", entry.key, entry.reason));
    parts.extend(placeless);
    if !list.as_of_today.is_empty() {
        parts.push("As it is today, because it is not known how it was or will be:".to_owned());
        parts.extend(list.as_of_today.iter().map(|fact| format!("- {fact}")));
    }
    parts.join("\n")
}

fn table(printer: &Printer, list: &RankList) -> String {
    // The state of another day is not known; that of today says why an entry is missing in today's order.
    let state = if list.as_of.is_some() { "state today" } else { "state" };
    let mut table =
        printer.table(&["place", "entry", "score", state, "backlog", "pipeline", "title", "terms"]);
    for entry in &list.entries {
        let terms = entry.terms.iter().map(|term| format!("{} = {}", term.text, number(term.value)));
        table.row([
            entry.position.to_string(),
            entry.status.name.key.clone(),
            entry.status.score_thousandths.map(score).unwrap_or_default(),
            entry.status.state.to_string(),
            entry.status.backlog.clone(),
            entry.status.pipeline.clone().unwrap_or_default(),
            entry.status.title.clone(),
            terms.collect::<Vec<_>>().join("; "),
        ]);
    }
    let shown = list.entries.len() as u64;
    let of_all = match shown < list.total {
        true => format!(" of {} that can run", list.total),
        false => " that can run".to_owned(),
    };
    format!("{}\n{}{of_all}", table.render(), count(shown, "entry", "entries"))
}
