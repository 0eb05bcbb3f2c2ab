//! `tollgate store import`.

use std::{fs::File, io::BufReader, path::PathBuf, sync::Arc};

use clap::Args;
use tollgate_store::{OpenMode, port::Source};

use super::artifacts;
use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    ui::{json::Imported, text::count},
};

/// Fill the project's store from an export; it has to be empty, or not there yet
///
/// The file is read twice: first all of it is judged, and the chain of every run is computed again; then it is taken in as a whole or not
/// at all. Afterwards this is the store that was exported, of the same id, whose trackers know it. Exits with 1 when an artifact is
/// missing that a run names: artifacts are files of their own and have to be copied.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// What `tollgate store export` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) async fn run(context: &Context, args: ImportArgs) -> Result<Exit> {
    let project = context.project()?;
    File::open(&args.file).map_err(Failure::io(format!("read {}", args.file.display())))?;
    let file = args.file.clone();
    let from: Source = Arc::new(move || Ok(Box::new(BufReader::with_capacity(1 << 20, File::open(&file)?))));
    let store = project.archive(OpenMode::Keeper).await?;
    let summary = store.import(from).await?;
    drop(store);
    // It is another store now, with the id of the one that was exported.
    let store = project.archive(OpenMode::ReadOnly).await?;
    let artifacts = artifacts::look(&*store, &project).await?;
    let imported = Imported { address: super::address(&project), store: store.id(), summary, artifacts };
    context.printer.show(&imported, text)?;
    Ok(if imported.artifacts.missing.is_empty() { Exit::Done } else { Exit::Failed })
}

fn text(imported: &Imported) -> String {
    let Imported { address, store, summary, artifacts } = imported;
    let mut lines = vec![
        format!(
            "{address} is the store {store} now: {}, {} with {}, every chain computed again",
            count(summary.rows.get("entry").copied().unwrap_or_default(), "entry", "entries"),
            count(summary.runs, "run", "runs"),
            count(summary.events, "event", "events")
        ),
        format!("heads of all chains: {}", summary.heads),
    ];
    lines.push(match artifacts.missing.len() as u64 {
        0 => format!("artifacts: all {} are in {}", artifacts.named, artifacts.place),
        missing => format!(
            "artifacts: {missing} of {} are not in {}, or damaged; copy those of the old store there",
            artifacts.named, artifacts.place
        ),
    });
    lines.join("\n")
}
