//! `tollgate runs list`.

use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser as _};
use tollgate_core::{
    approval::Lack,
    run::{RunKind, RunState, RunSummary},
};
use tollgate_store::{OpenMode, port::RunFilter};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{
        explain,
        json::RunList,
        printer::Printer,
        text::{count, duration, time},
    },
};

/// List runs, the newest first
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Show runs in this state only; may be given more than once
    #[arg(long, value_name = "STATE", value_parser = states())]
    state: Vec<RunState>,
    /// Show runs of the entry with this key only
    #[arg(long, value_name = "KEY")]
    entry: Option<String>,
    /// Show at most this many; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

fn states() -> impl clap::builder::TypedValueParser<Value = RunState> {
    let parse =
        |name: String| RunState::ALL.into_iter().find(|state| state.as_str() == name).ok_or("no such state");
    PossibleValuesParser::new(RunState::ALL.map(RunState::as_str)).try_map(parse)
}

pub(crate) async fn run(context: &Context, args: ListArgs) -> Result<Exit> {
    let store = context.project()?.store(OpenMode::ReadOnly).await?;
    let filter = RunFilter { key: args.entry, states: args.state, limit: args.limit, offset: 0 };
    let page = store.runs(filter).await?;
    let list = RunList { runs: page.rows, total: page.total };
    context.printer.show(&list, |list| text(&context.printer, list))?;
    Ok(Exit::Done)
}

/// Why it ended or what it waits for; where it waits for a person, what to type; and which host it lost.
fn why(run: &RunSummary) -> String {
    if let Some(ask) = &run.ask {
        let asks = match ask.lack {
            Lack::Approval => "asks for an approval",
            Lack::Evidence => "could not judge",
            Lack::Answer => "asks a question",
            Lack::Fuel | Lack::Time | Lack::RunCost | Lack::RunTime => "asks for more",
        };
        return format!("{asks}: {}", explain::how_to_answer(&run.entry.key, ask));
    }
    if let Some(host) = run.abandoned_by() {
        return format!("{host} vanished; the next host goes on with it");
    }
    match (&run.reason, run.lost_hosts.last()) {
        (Some(reason), _) => reason.clone(),
        (None, Some(host)) if run.state.is_live() => format!("goes on after {host} vanished"),
        (None, _) if run.kind == RunKind::Refine => "refines its entry".to_owned(),
        (None, _) => String::new(),
    }
}

fn text(printer: &Printer, list: &RunList) -> String {
    let mut table = printer.table(&["run", "entry", "state", "began", "took", "cost", "why"]);
    for run in &list.runs {
        table.row([
            run.id.to_string(),
            run.entry.key.clone(),
            run.state.to_string(),
            time(run.started_at),
            run.ended_at.map(|ended| duration(ended.since(run.started_at))).unwrap_or_default(),
            run.cost.to_string(),
            why(run),
        ]);
    }
    let shown = list.runs.len() as u64;
    let of_all =
        if shown < list.total { format!(" of {}; `--limit 0` shows all", list.total) } else { String::new() };
    format!("{}\n{}{of_all}", table.render(), count(shown, "run", "runs"))
}
