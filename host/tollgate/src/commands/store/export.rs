//! `tollgate store export`.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;
use tollgate_store::{
    OpenMode,
    port::{Archive, ExportSummary},
};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    ui::{json::Exported, text::count},
};

/// Write the whole store to a file, as it is at one moment
///
/// The file has lines of JSON and ends with the digest of all of them and of the heads of all chains. Hosts may go on meanwhile. Artifacts
/// are not in it: they are files of their own, in `.tollgate/artifacts`. With `--move-to`, the store is marked as moved before it is
/// written, so that no host goes on with it; that takes that none is at work.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Where to write it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Mark the store as moved: where to, in your words, e.g. `postgres://db.example.com/tollgate`
    #[arg(long, value_name = "WHERE")]
    move_to: Option<String>,
}

pub(crate) async fn run(context: &Context, args: ExportArgs) -> Result<Exit> {
    let project = context.project()?;
    if args.file.exists() {
        return Err(Failure::mistake_with_hint(
            format!("{} is there already", args.file.display()),
            "name a new file",
        ));
    }
    // What is only written may be driven meanwhile.
    let mode = if args.move_to.is_some() { OpenMode::Keeper } else { OpenMode::ReadOnly };
    if mode == OpenMode::Keeper {
        // A keeper makes a store where there is none.
        drop(project.archive(OpenMode::ReadOnly).await?);
    }
    let store = project.archive(mode).await?;
    if let Some(place) = &args.move_to {
        store.move_to(place).await?;
    }
    let written = match write(&*store, &args.file).await {
        Ok(summary) => summary,
        Err(failure) => {
            if args.move_to.is_some() {
                store.stay().await?;
            }
            return Err(failure);
        }
    };
    let exported = Exported {
        address: super::address(&project),
        store: store.id(),
        file: args.file.display().to_string(),
        moved_to: args.move_to,
        summary: written,
    };
    context.printer.show(&exported, text)?;
    Ok(Exit::Done)
}

/// The file is there when it is whole.
async fn write(store: &dyn Archive, target: &Path) -> Result<ExportSummary> {
    let mut partial = target.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let written = write_partial(store, &partial).await;
    let named = written.and_then(|summary| {
        let rename = fs::rename(&partial, target);
        rename.map_err(Failure::io(format!("write {}", target.display()))).map(|()| summary)
    });
    // The first failure is the one to tell.
    named.inspect_err(|_| drop(fs::remove_file(&partial)))
}

async fn write_partial(store: &dyn Archive, partial: &Path) -> Result<ExportSummary> {
    let doing = || format!("write {}", partial.display());
    let file = File::create(partial).map_err(Failure::io(doing()))?;
    let to = Arc::new(Mutex::new(BufWriter::with_capacity(1 << 20, file)));
    let summary = store.export(Arc::clone(&to) as _).await?;
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    to.flush().and_then(|()| to.get_ref().sync_all()).map_err(Failure::io(doing()))?;
    Ok(summary)
}

fn text(exported: &Exported) -> String {
    let Exported { address, store, file, moved_to, summary } = exported;
    let mut lines = vec![format!(
        "the store {store} is in {file}: {}, {} with {}",
        count(summary.rows.get("entry").copied().unwrap_or_default(), "entry", "entries"),
        count(summary.runs, "run", "runs"),
        count(summary.events, "event", "events")
    )];
    lines.push(format!("heads of all chains: {}", summary.heads));
    if let Some(place) = moved_to {
        lines.push(format!(
            "{address} is marked as moved to {place}: no host goes on with it; `tollgate store stay` takes that back"
        ));
    }
    lines.join("\n")
}
