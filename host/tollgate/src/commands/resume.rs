//! `tollgate resume`.

use clap::Args;
use tollgate_store::OpenMode;

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{json, printer::Tone},
};

/// Let hosts work again after `tollgate stop`
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {}

pub(crate) async fn run(context: &Context, _: ResumeArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let before = store.control().await?.stop;
    store.resume().await?;
    let done = json::Done {
        done: match before {
            Some(stop) => format!("hosts may work again; {} had stopped them: {}", stop.who, stop.why),
            None => "nobody had stopped the hosts".to_owned(),
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
