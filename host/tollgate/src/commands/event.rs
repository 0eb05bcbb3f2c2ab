//! `tollgate event`.

use clap::Args;
use serde_json::Value;
use tollgate_store::{OpenMode, port::NewSignal};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    run_argument,
    ui::{json, text::count},
};

/// Say that something happened, for runs that wait for it
///
/// A plugin may wait for an event by its name. Runs that wait for it go on; a call that is under way, and waits for it when it ends, finds
/// it too. What begins later does not.
#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// Its name, without spaces
    name: String,
    /// Tell this run only, by its id or its entry [default: all that wait for it]
    #[arg(long = "for", value_name = "RUN-OR-ENTRY")]
    run: Option<String>,
    /// Hand this JSON to the plugins that wait for it
    #[arg(long, value_name = "JSON", default_value = "null")]
    data: String,
    /// Say it in this name [default: the name of this account]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

pub(crate) async fn run(context: &Context, args: EventArgs) -> Result<Exit> {
    let data: Value = serde_json::from_str(&args.data).map_err(|error| {
        Failure::mistake_with_hint(format!("the data is not JSON: {error}"), r#"e.g. --data '{"build": 7}'"#)
    })?;
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let run = match &args.run {
        Some(run) => Some(run_argument::find(&*store, &project, run).await?),
        None => None,
    };
    let who = args.who.unwrap_or_else(|| context.environment.who());
    let name = args.name.clone();
    let woken = store.signal(NewSignal { name: args.name, run, who, data }).await?;
    let done = match woken {
        0 => format!("`{name}` is noted; no run waits for it now"),
        woken => format!(
            "`{name}` is noted; {} waited for it, and `tollgate run` takes what waited on",
            count(woken, "run", "runs")
        ),
    };
    context.printer.show(&json::Done { done }, |done| done.done.clone())?;
    Ok(Exit::Done)
}
