//! What `tollgate approve` and `tollgate reject` have in common.

use clap::Args;
use tollgate_core::{
    RunId,
    approval::{Ask, Word},
};
use tollgate_store::{Store, port::NewDecision};

use crate::{context::Context, error::Result, exit::Exit, project::Project, run_argument, ui::json};

/// Who answers which run.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    #[arg(value_name = "RUN-OR-ENTRY", help = run_argument::HELP)]
    run: String,
    /// Answer in this name [default: the name of this account]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) run: RunId,
    pub(super) key: String,
    pub(super) asked: Ask,
}

/// Sends an answer to a run that asks.
///
/// # Errors
///
/// When there is no such run, or it asks nothing.
pub(super) async fn send(
    context: &Context,
    store: &dyn Store,
    project: &Project,
    args: AnswerArgs,
    why: String,
    word: Word,
) -> Result<Answer> {
    let run = run_argument::find(store, project, &args.run).await?;
    let key = store.run(run).await?.summary.entry.key;
    let who = args.who.unwrap_or_else(|| context.environment.who());
    let asked = store.decide(run, NewDecision { who, why, word }).await?.asked;
    Ok(Answer { run, key, asked })
}

/// Says what was done.
pub(super) fn show(context: &Context, done: String) -> Result<Exit> {
    context.printer.show(&json::Done { done }, |done| done.done.clone())?;
    Ok(Exit::Done)
}
