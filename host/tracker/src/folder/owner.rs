//! Whose folder it is: a file that only one store can create.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};
use tollgate_core::{StoreId, Timestamp};

use super::files::{self, Existing, ReadError};
use crate::port::{Ownership, TakeOver, TrackerError};

/// The marker's name, in the folder of items.
pub(super) const MARKER: &str = ".tollgate-owner";

const MARKER_BYTES_MAX: u64 = 65_536;

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    store: StoreId,
    since: Timestamp,
    /// Whose it was before, the first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Former>,
}

/// A store that kept the tracker until another took it over.
#[derive(Debug, Serialize, Deserialize)]
struct Former {
    store: StoreId,
    since: Timestamp,
    until: Timestamp,
    who: String,
    why: String,
}

/// Marks the folder at `root` as `store`'s unless it is marked. The marker appears whole: nobody reads half of it.
pub(super) fn claim(
    root: &Path,
    shown: &str,
    store: StoreId,
    now: Timestamp,
) -> Result<Ownership, TrackerError> {
    let path = root.join(MARKER);
    let io_error = |source| TrackerError::Io { place: shown.to_owned(), source };
    let marker = Marker { store, since: now, before: Vec::new() };
    let text = serde_json::to_string(&marker).map_err(|error| io_error(error.into()))? + "\n";
    match files::write(&path, text.as_bytes(), Existing::Keep) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // Who may not write may still read whose it is.
        Err(error) if !path.exists() => return Err(io_error(error)),
        Err(_) => {}
    }
    // Read back: whoever wrote it, what stands there holds.
    let found = read(&path).map_err(|message| TrackerError::Marker { marker: shown.to_owned(), message })?;
    if found.store == store {
        return Ok(Ownership::Owned);
    }
    Ok(Ownership::OwnedBy { store: found.store, since: found.since, marker: shown.to_owned() })
}

fn read(path: &Path) -> Result<Marker, String> {
    let (bytes, _) = files::read(path, MARKER_BYTES_MAX).map_err(|error: ReadError| format!("it {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// Marks the folder at `root` as `store`'s, whosever it was.
pub(super) fn take_over(
    root: &Path,
    shown: &str,
    store: StoreId,
    now: Timestamp,
    note: TakeOver,
) -> Result<(), TrackerError> {
    let path = root.join(MARKER);
    let io_error = |source| TrackerError::Io { place: shown.to_owned(), source };
    let Marker { store: former, since, mut before } =
        read(&path).map_err(|message| TrackerError::Marker { marker: shown.to_owned(), message })?;
    if former == store {
        return Ok(());
    }
    let TakeOver { who, why } = note;
    before.push(Former { store: former, since, until: now, who, why });
    let marker = Marker { store, since: now, before };
    let text = serde_json::to_string(&marker).map_err(|error| io_error(error.into()))? + "\n";
    files::write(&path, text.as_bytes(), Existing::Replace).map_err(io_error)
}
