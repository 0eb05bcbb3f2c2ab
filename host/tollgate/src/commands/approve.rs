//! `tollgate approve`.

use clap::Args;
use tollgate_core::approval::{Allowance, Word};
use tollgate_policy::allowance;
use tollgate_store::OpenMode;

use super::answer::{self, Answer};
use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
};

/// Let a run that asks go on
///
/// A stage whose pipeline says `approval` begins when a member of that role approves it; there is nothing to add then.
///
/// A run that used up its fuel, time or money waits, holds nothing, and says how much it used and how much it probably needs. What
/// is added holds for the stage or gate that asked, until the run ends; the same attempt goes on, is told again what it was told,
/// and pays for nothing twice but its compute. Who and why stand in the record.
///
/// A run that waits for the entries that it opened pays for them; `--add cost=…` lets those go on that its budget could not pay for.
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    answer: answer::AnswerArgs,
    /// Add this much: `fuel=3G`, `time=30s` or `cost=$0.20`; may be given more than once
    #[arg(long, value_name = "AMOUNT", value_parser = allowance::parse)]
    add: Vec<Allowance>,
    /// Say why, for the record
    #[arg(long, value_name = "TEXT", default_value = "no reason was given")]
    why: String,
}

pub(crate) async fn run(context: &Context, args: ApproveArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let added = args.add.iter().fold(Allowance::default(), |sum, one| Allowance {
        fuel: sum.fuel.saturating_add(one.fuel),
        time: sum.time.saturating_add(one.time),
        cost: sum.cost + one.cost,
    });
    if added.is_nothing() && !args.add.is_empty() {
        return Err(Failure::mistake_with_hint("nothing was added", "say how much, e.g. `--add fuel=3G`"));
    }
    let word = Word::Approved { added };
    let Answer { key, asked, run } =
        answer::send(context, &*store, &project, args.answer, args.why, word, false).await?;
    let step = &asked.step.name;
    let with = if added.is_nothing() { "with".to_owned() } else { format!("with {added} for") };
    let done = format!("{key} may go on {with} `{step}`; `tollgate run` takes run {run} on from there");
    answer::show(context, done)
}
