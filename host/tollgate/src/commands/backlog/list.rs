//! `tollgate backlog list`.

use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser as _};
use tollgate_core::entry::{EntryState, EntryStatus};
use tollgate_store::{OpenMode, port::EntryFilter};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{
        json::EntryList,
        printer::Printer,
        text::{count, hold, score},
    },
};

/// List entries: those that wait in their order, then the others
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Show entries in this state only; may be given more than once
    #[arg(long, value_name = "STATE", value_parser = states())]
    state: Vec<EntryState>,
    /// Show entries of this backlog only
    #[arg(long, value_name = "NAME")]
    backlog: Option<String>,
    /// Show at most this many; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

fn states() -> impl clap::builder::TypedValueParser<Value = EntryState> {
    let parse = |name: String| {
        EntryState::ALL.into_iter().find(|state| state.as_str() == name).ok_or("no such state")
    };
    PossibleValuesParser::new(EntryState::ALL.map(EntryState::as_str)).try_map(parse)
}

pub(crate) async fn run(context: &Context, args: ListArgs) -> Result<Exit> {
    let store = context.project()?.store(OpenMode::ReadOnly).await?;
    let filter = EntryFilter { backlog: args.backlog, states: args.state, limit: args.limit, offset: 0 };
    let page = store.entries(filter).await?;
    let list = EntryList { entries: page.rows, total: page.total };
    context.printer.show(&list, |list| text(&context.printer, list))?;
    Ok(Exit::Done)
}

/// Why it stands where it stands, where that is not said by its state.
fn why(entry: &EntryStatus) -> String {
    match entry.holds.first() {
        Some(first) => hold(first),
        None if entry.adopted && entry.state == EntryState::Done => "adopted".to_owned(),
        None => String::new(),
    }
}

fn text(printer: &Printer, list: &EntryList) -> String {
    let mut table = printer.table(&["entry", "state", "score", "title", "why"]);
    for entry in &list.entries {
        table.row([
            entry.name.key.clone(),
            entry.state.to_string(),
            entry.score_thousandths.map(score).unwrap_or_default(),
            entry.title.clone(),
            why(entry),
        ]);
    }
    let shown = list.entries.len() as u64;
    let of_all =
        if shown < list.total { format!(" of {}; `--limit 0` shows all", list.total) } else { String::new() };
    format!("{}\n{}{of_all}", table.render(), count(shown, "entry", "entries"))
}
