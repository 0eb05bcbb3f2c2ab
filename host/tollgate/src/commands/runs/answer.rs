//! `tollgate runs answer`.

use clap::Args;
use tollgate_core::approval::{Allowance, Word};
use tollgate_store::OpenMode;

use crate::{
    commands::answer::{self, Answer, AnswerArgs},
    context::Context,
    error::{Failure, Result},
    exit::Exit,
};

/// Answer what a run asks
///
/// A plugin may wait for an answer; `tollgate why` shows its question. The plugin is called again and told who said what; it stands in
/// the record. `tollgate reject` ends the run instead.
#[derive(Debug, Args)]
pub(crate) struct RunsAnswerArgs {
    #[command(flatten)]
    answer: AnswerArgs,
    /// What to say
    #[arg(value_name = "TEXT")]
    text: String,
}

pub(crate) async fn run(context: &Context, args: RunsAnswerArgs) -> Result<Exit> {
    if args.text.trim().is_empty() {
        return Err(Failure::mistake_with_hint(
            "the answer is empty",
            "say it: `tollgate runs answer RUN TEXT`",
        ));
    }
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let word = Word::Approved { added: Allowance::default() };
    let Answer { run, key, asked } =
        answer::send(context, &*store, &project, args.answer, args.text, word, true).await?;
    let step = &asked.step.name;
    answer::show(context, format!("`{step}` of {key} is told; `tollgate run` takes run {run} on from there"))
}
