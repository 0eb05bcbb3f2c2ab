//! Record files: beside an item, one section a run or adoption, appended.
//!
//! Properties wanted:
//!
//! 1. However often, and by however many processes, the record of a run is delivered, the file has one section of it.
//! 2. A crash at any moment leaves the old file or the new one.
//! 3. What people write around the sections stays as it is, byte for byte.

use std::path::Path;

use serde_json::json;
use tollgate_core::{RunId, adoption::Adoption, effect::Delivered, entry::EntryName, record::Record};

use super::files::{self, Existing, ReadError};
use crate::{
    port::DeliveryError,
    record::{self, Sections, Subject},
};

/// Thousands of records; a file beyond that is not ours.
pub(super) const RECORD_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An account that stands in a section of its own.
pub(super) trait Account {
    /// The item that it is about.
    fn item(&self) -> &EntryName;

    /// From marker to marker.
    fn section(&self) -> String;

    /// Whether the section of the same run or adoption says the same; none where there is no such section.
    fn stands_in(&self, sections: &Sections) -> Option<bool>;
}

impl Account for Record {
    fn item(&self) -> &EntryName {
        &self.entry.name
    }

    fn section(&self) -> String {
        record::section(self)
    }

    fn stands_in(&self, sections: &Sections) -> Option<bool> {
        let there = sections.records.iter().find(|section| section.id == self.run)?;
        Some(there.account.as_ref() == Ok(self))
    }
}

impl Account for Adoption {
    fn item(&self) -> &EntryName {
        &self.entry.name
    }

    fn section(&self) -> String {
        record::adopted_section(self)
    }

    fn stands_in(&self, sections: &Sections) -> Option<bool> {
        let there = sections.adoptions.iter().find(|section| section.id == self.id)?;
        Some(there.account.as_ref() == Ok(self))
    }
}

/// Appends the account unless the file has one of the same run or adoption: the first that was written stays.
pub(super) fn append(path: &Path, shown: &str, account: &impl Account) -> Result<Delivered, DeliveryError> {
    let before = match files::read(path, RECORD_FILE_BYTES_MAX) {
        Ok((bytes, _)) => bytes,
        Err(ReadError::Missing) => Vec::new(),
        Err(ReadError::Io(error)) => return Err(failed("read", shown, &error)),
        Err(error @ (ReadError::NotPlain | ReadError::TooLarge { .. })) => {
            let reason = format!("the record cannot be written: {shown} {error}");
            return Ok(Delivered::Refused { reason });
        }
    };
    if let Some(is_same) = account.stands_in(&sections_of(&before)) {
        return Ok(done(shown, true, !is_same));
    }
    let mut bytes = before;
    if bytes.is_empty() {
        bytes.extend_from_slice(record::file_heading(account.item()).as_bytes());
    } else if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.push(b'\n');
    bytes.extend_from_slice(account.section().as_bytes());
    files::write(path, &bytes, Existing::Replace).map_err(|error| failed("write", shown, &error))?;

    let (after, _) = files::read(path, RECORD_FILE_BYTES_MAX).map_err(|error| DeliveryError {
        message: format!("cannot read back {shown}: it {error}"),
        retry_after: None,
    })?;
    match account.stands_in(&sections_of(&after)) {
        Some(is_same) => Ok(done(shown, false, !is_same)),
        None => Err(DeliveryError {
            message: format!("the record was not in {shown} when it was read back"),
            retry_after: None,
        }),
    }
}

/// Whether a file holds the record of a run.
pub(super) fn has_run(path: &Path, run: RunId) -> bool {
    let Ok((bytes, _)) = files::read(path, RECORD_FILE_BYTES_MAX) else { return false };
    sections_of(&bytes).has(Subject::Run(run))
}

fn sections_of(bytes: &[u8]) -> Sections {
    // A person may have damaged the text around; that must not bring about a second section.
    record::read_sections(&String::from_utf8_lossy(bytes))
}

fn done(shown: &str, was_there: bool, differs: bool) -> Delivered {
    if differs {
        tracing::warn!(
            path = shown,
            "a record of this run or adoption is there already and says something else; it stays"
        );
    }
    let data = json!({ "was-there": was_there, "differs": differs });
    Delivered::Done { reference: Some(shown.to_owned()), data }
}

fn failed(verb: &str, shown: &str, error: &std::io::Error) -> DeliveryError {
    DeliveryError { message: format!("cannot {verb} {shown}: {error}"), retry_after: None }
}
