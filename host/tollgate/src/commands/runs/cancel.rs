//! `tollgate runs cancel`.

use clap::Args;
use tollgate_store::{
    OpenMode,
    port::{Cancelled, NewCancellation},
};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    run_argument,
    ui::{json::RunCancelled, text::list},
};

/// End a run that is under way, and all that it led to
///
/// It calls nothing more but stages that clean up whatever the end (`on = "always"`); a call under way ends within a second. What it
/// asked for outside and nobody began to send is not sent; what was done stays done. Runs of entries that it opened are cancelled too,
/// and such entries that were not begun are held, however deep. The host that drives it, or the next one, writes its record.
///
/// Its entry does not run again before `tollgate runs retry`; what is held with it before `tollgate backlog admit`, or before a new run
/// of the entry asks for it again.
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    #[arg(value_name = "RUN-OR-ENTRY", help = run_argument::HELP)]
    run: String,
    /// Say why, for the record
    #[arg(long, value_name = "TEXT", default_value = "no reason was given")]
    reason: String,
}

pub(crate) async fn run(context: &Context, args: CancelArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let run = run_argument::find(&*store, &project, &args.run).await?;
    let new = NewCancellation { who: context.environment.who(), why: args.reason };
    let Cancelled { driven_by, runs, held } = store.cancel(run, new).await?;
    let key = store.run(run).await?.summary.entry.key;
    let cancelled = RunCancelled { run, key, driven_by, runs, held };
    context.printer.show(&cancelled, text)?;
    Ok(Exit::Done)
}

fn text(cancelled: &RunCancelled) -> String {
    let RunCancelled { run, key, driven_by, runs, held } = cancelled;
    let ends = match driven_by {
        Some(host) => format!("{host} drives it, and ends it now"),
        None => "the next `tollgate run` ends it and writes its record".to_owned(),
    };
    let mut sentences = vec![format!("run {run} of {key} is cancelled; {ends}")];
    if !runs.is_empty() {
        sentences.push(format!("cancelled with it: {}", list(runs)));
    }
    if !held.is_empty() {
        sentences.push(format!("held with it, not begun: {}", list(held)));
    }
    sentences.join("\n")
}
