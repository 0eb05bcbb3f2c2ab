//! `tollgate store stay`.

use clap::Args;
use tollgate_store::OpenMode;

use crate::{context::Context, error::Result, exit::Exit, ui::json};

/// Let hosts use this store again that was marked as moved
///
/// For a move that was given up. Where the store was imported elsewhere and hosts have worked there, that work is not here: one of the two
/// has to go.
#[derive(Debug, Args)]
pub(crate) struct StayArgs {}

pub(crate) async fn run(context: &Context, _: StayArgs) -> Result<Exit> {
    let project = context.project()?;
    // A keeper makes a store where there is none.
    drop(project.archive(OpenMode::ReadOnly).await?);
    let was_marked = project.archive(OpenMode::Keeper).await?.stay().await?;
    let done = match was_marked {
        true => format!("{} is used again", super::address(&project)),
        false => format!("{} was not marked as moved; nothing was changed", super::address(&project)),
    };
    context.printer.show(&json::Done { done }, |done| done.done.clone())?;
    Ok(Exit::Done)
}
