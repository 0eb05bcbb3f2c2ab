//! `tollgate resume`.

use clap::Args;
use tollgate_store::{OpenMode, port::StopMode};

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{json, printer::Tone, text::time},
};

/// Let hosts work again after `tollgate stop`
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {}

pub(crate) async fn run(context: &Context, _: ResumeArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let before = store.control().await?;
    store.resume().await?;
    let done = json::Done {
        done: match (before.stop, before.since) {
            (Some(stop), Some(since)) => {
                let command = match stop.mode {
                    StopMode::Drain => "`tollgate stop`",
                    StopMode::Now => "`tollgate stop --now`",
                };
                let (who, since) = (stop.who, time(since));
                format!("hosts may work again; lifted is the {command} of {who} at {since}: {}", stop.why)
            }
            _ => "nobody had stopped the hosts".to_owned(),
        },
    };
    context.printer.show(&done, |done| done.done.clone())?;
    let stop_file = project.folder.join(&project.policy.instance.stop_file.path);
    if stop_file.exists() {
        let said =
            format!("{} is there as well, and stops hosts while it is; remove it", stop_file.display());
        context.printer.tagged(Tone::Notable, "warning", said);
    }
    Ok(Exit::Done)
}
