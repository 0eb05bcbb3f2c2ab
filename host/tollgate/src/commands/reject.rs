//! `tollgate reject`.

use clap::Args;
use tollgate_core::approval::Word;
use tollgate_store::OpenMode;

use super::answer::{self, Answer};
use crate::{context::Context, error::Result, exit::Exit};

/// End a run that asks
///
/// It fails with what it asked for and why that was rejected; its record says so. Stages that are there for a failure still run. `tollgate runs retry` begins another round.
#[derive(Debug, Args)]
pub(crate) struct RejectArgs {
    #[command(flatten)]
    answer: answer::AnswerArgs,
    /// Say why, for the record
    #[arg(long, value_name = "TEXT")]
    why: String,
}

pub(crate) async fn run(context: &Context, args: RejectArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let Answer { key, run, .. } =
        answer::send(context, &*store, &project, args.answer, args.why, Word::Rejected).await?;
    answer::show(context, format!("run {run} of {key} will end as failed when `tollgate run` takes it"))
}
