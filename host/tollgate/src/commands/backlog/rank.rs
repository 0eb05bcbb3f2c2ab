//! `tollgate backlog rank`.

use std::collections::HashMap;

use clap::Args;
use tollgate_core::entry::{EntryState, EntryStatus};
use tollgate_store::{OpenMode, Store, port::EntryFilter};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{
        json::{RankList, Ranked},
        printer::Printer,
        text::{count, number, score},
    },
};

/// Show the order in which entries run
#[derive(Debug, Args)]
pub(crate) struct RankArgs {
    /// Show every term of every score
    #[arg(long)]
    explain: bool,
    /// Show entries of this backlog only
    #[arg(long, value_name = "NAME")]
    backlog: Option<String>,
    /// Show at most this many; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

pub(crate) async fn run(context: &Context, args: RankArgs) -> Result<Exit> {
    let store = context.project()?.store(OpenMode::ReadOnly).await?;
    let filter =
        EntryFilter { backlog: args.backlog, states: vec![EntryState::Ready], limit: args.limit, offset: 0 };
    let page = store.entries(filter).await?;
    let list = RankList { entries: ranked(&*store, page.rows, args.explain).await?, total: page.total };
    context.printer.show(&list, |list| text(&context.printer, list))?;
    Ok(Exit::Done)
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
    if list.entries.is_empty() {
        return "nothing waits".to_owned();
    }
    let mut table = printer.table(&["place", "entry", "score", "backlog", "pipeline", "title", "terms"]);
    for entry in &list.entries {
        let terms = entry.terms.iter().map(|term| format!("{} = {}", term.text, number(term.value)));
        table.row([
            entry.position.to_string(),
            entry.status.name.key.clone(),
            entry.status.score_thousandths.map(score).unwrap_or_default(),
            entry.status.backlog.clone(),
            entry.status.pipeline.clone().unwrap_or_default(),
            entry.status.title.clone(),
            terms.collect::<Vec<_>>().join("; "),
        ]);
    }
    let shown = list.entries.len() as u64;
    let of_all =
        if shown < list.total { format!(" of {}; `--limit 0` shows all", list.total) } else { String::new() };
    format!("{}\n{} that can run{of_all}", table.render(), count(shown, "entry", "entries"))
}
