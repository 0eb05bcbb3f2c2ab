//! Record files: beside an item, one section a run, appended.
//!
//! Properties wanted:
//!
//! 1. However often, and by however many processes, the record of a run is delivered, the file has one section of it.
//! 2. A crash at any moment leaves the old file or the new one.
//! 3. What people write around the sections stays as it is, byte for byte.

use std::path::Path;

use serde_json::json;
use tollgate_core::{RunId, effect::Delivered, record::Record};

use super::files::{self, Existing, ReadError};
use crate::{
    port::DeliveryError,
    record::{self, Section},
};

/// Thousands of records; a file beyond that is not ours.
pub(super) const RECORD_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Appends the record unless the file has one of the same run: the first that was written stays.
pub(super) fn append(path: &Path, shown: &str, record: &Record) -> Result<Delivered, DeliveryError> {
    let before = match files::read(path, RECORD_FILE_BYTES_MAX) {
        Ok((bytes, _)) => bytes,
        Err(ReadError::Missing) => Vec::new(),
        Err(ReadError::Io(error)) => return Err(failed("read", shown, &error)),
        Err(error @ (ReadError::NotPlain | ReadError::TooLarge { .. })) => {
            let reason = format!("the record cannot be written: {shown} {error}");
            return Ok(Delivered::Refused { reason });
        }
    };
    if let Some(there) = section_of(&before, record) {
        return Ok(done(shown, true, there.record.as_ref() != Ok(record)));
    }
    let mut bytes = before;
    if bytes.is_empty() {
        bytes.extend_from_slice(record::file_heading(record).as_bytes());
    } else if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.push(b'\n');
    bytes.extend_from_slice(record::section(record).as_bytes());
    files::write(path, &bytes, Existing::Replace).map_err(|error| failed("write", shown, &error))?;

    let (after, _) = files::read(path, RECORD_FILE_BYTES_MAX).map_err(|error| DeliveryError {
        message: format!("cannot read back {shown}: it {error}"),
        retry_after: None,
    })?;
    match section_of(&after, record) {
        Some(there) => Ok(done(shown, false, there.record.as_ref() != Ok(record))),
        None => Err(DeliveryError {
            message: format!("the record was not in {shown} when it was read back"),
            retry_after: None,
        }),
    }
}

/// Whether a file holds the record of a run.
pub(super) fn has_run(path: &Path, run: RunId) -> bool {
    let Ok((bytes, _)) = files::read(path, RECORD_FILE_BYTES_MAX) else { return false };
    record::read_sections(&String::from_utf8_lossy(&bytes)).iter().any(|section| section.run == run)
}

fn section_of(bytes: &[u8], record: &Record) -> Option<Section> {
    // A person may have damaged the text around; that must not bring about a second section.
    let text = String::from_utf8_lossy(bytes);
    record::read_sections(&text).into_iter().find(|section| section.run == record.run)
}

fn done(shown: &str, was_there: bool, differs: bool) -> Delivered {
    if differs {
        tracing::warn!(
            path = shown,
            "a record of this run is there already and says something else; it stays"
        );
    }
    let data = json!({ "was-there": was_there, "differs": differs });
    Delivered::Done { reference: Some(shown.to_owned()), data }
}

fn failed(verb: &str, shown: &str, error: &std::io::Error) -> DeliveryError {
    DeliveryError { message: format!("cannot {verb} {shown}: {error}"), retry_after: None }
}
