//! Opens a project's store, wherever it is.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tollgate_policy::{PostgresAddress, StoreAddress};
use tollgate_store::{
    OpenMode, PostgresOptions, PostgresStore, SqliteOptions, SqliteStore, Store, StoreError,
    port::{Archive, Sink, Source},
};

use crate::{
    error::{Failure, Result},
    pgpass,
    project::Project,
};

/// Opens a project's store.
///
/// # Errors
///
/// [`Failure::NoStore`] when nothing has run yet and `mode` makes no store.
pub(crate) async fn open(project: &Project, mode: OpenMode) -> Result<Arc<dyn Archive>> {
    let opened = match &project.policy.instance.store {
        StoreAddress::Sqlite(path) => open_sqlite(SqliteOptions::at(project.folder.join(path), mode)).await,
        StoreAddress::Postgres(address) => open_postgres(address, mode).await,
    };
    opened.map_err(|failure| match failure {
        Failure::Store(StoreError::NotFound { what: "store", name }) => Failure::NoStore { location: name },
        other => other,
    })
}

/// Opens a store in a file or in memory, on a thread that may block.
///
/// # Errors
///
/// When the store refuses.
pub(crate) async fn open_sqlite(options: SqliteOptions) -> Result<Arc<dyn Archive>> {
    let store = on_a_thread("open the store", move || SqliteStore::open(options)).await?;
    Ok(Arc::new(store))
}

async fn open_postgres(address: &PostgresAddress, mode: OpenMode) -> Result<Arc<dyn Archive>> {
    let address = address.clone();
    let opened = on_a_thread("open the store", move || {
        let url = address.with_password(pgpass::password(&address).as_deref());
        PostgresStore::open(PostgresOptions { url, mode, clock: None })
    });
    Ok(Arc::new(opened.await?))
}

/// A store that may be changed: a copy of the project's, or one in memory where there is none yet.
///
/// # Errors
///
/// When the store cannot be copied.
pub(crate) async fn copy(project: &Project, folder: &TempDir) -> Result<Arc<dyn Store>> {
    let copy = folder.path().join("copy.db");
    let copied = match &project.policy.instance.store {
        StoreAddress::Sqlite(path) => copy_file(project.folder.join(path), copy.clone()).await,
        StoreAddress::Postgres(_) => copy_database(project, folder.path(), &copy).await,
    };
    match copied {
        Ok(()) => Ok(open_sqlite(SqliteOptions::at(copy, OpenMode::Host)).await?),
        Err(Failure::NoStore { .. } | Failure::Store(StoreError::NotFound { what: "store", .. })) => {
            Ok(open_sqlite(SqliteOptions::in_memory()).await?)
        }
        Err(failure) => Err(failure),
    }
}

async fn copy_file(original: PathBuf, copy: PathBuf) -> Result<()> {
    on_a_thread("copy the store", move || SqliteStore::copy(&original, &copy)).await
}

/// What a database holds goes into a file.
async fn copy_database(project: &Project, folder: &Path, copy: &Path) -> Result<()> {
    let original = open(project, OpenMode::ReadOnly).await?;
    let export = folder.join("copy.jsonl");
    let file = File::create(&export).map_err(Failure::io(format!("write {}", export.display())))?;
    let to: Sink = Arc::new(Mutex::new(std::io::BufWriter::new(file)));
    original.export(to).await?;
    let target = open_sqlite(SqliteOptions::at(copy, OpenMode::Keeper)).await?;
    let from: Source = Arc::new(move || Ok(Box::new(BufReader::new(File::open(&export)?))));
    target.import(from).await?;
    Ok(())
}

async fn on_a_thread<T: Send + 'static>(
    doing: &'static str,
    body: impl FnOnce() -> std::result::Result<T, StoreError> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(body).await;
    let done = done
        .map_err(|panicked| Failure::Io { doing: doing.into(), source: std::io::Error::other(panicked) })?;
    Ok(done?)
}
