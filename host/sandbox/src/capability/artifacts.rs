//! `artifacts`: the blobs that a call was handed, and those it writes.
//!
//! What a call writes is held here until it has returned, and only what it hands on reaches the store. So a call that
//! fails leaves nothing behind, and writing never waits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tollgate_core::{
    Digest,
    step::{Artifact, Produced},
};
use wasmtime::{StoreContextMut, component::LinkerInstance};

use super::{Copied, enter, pay_for};
use crate::{
    CallInput,
    bindings::v0_1::{artifacts::Error, types as wit},
    budget::{ARTIFACT_BYTES, COPIED_BYTE_FUEL, WRITTEN_BYTES, charge},
    host::{Host, Stop},
    port::{self, ArtifactsError},
};

/// Names and media types are for people and file names.
const NAME_BYTES: usize = 255;

pub(super) fn link(artifacts: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    artifacts.func_wrap_async(
        "read",
        |mut store: StoreContextMut<'_, Host>, (digest, offset, length): (String, u64, u64)| {
            Box::new(async move {
                enter(&mut store, digest.copied_bytes())?;
                let part = match find(&mut store, &digest).await? {
                    Ok(blob) => part(&blob, offset, length).map(|part| (part.start, part.end, blob)),
                    Err(error) => Err(error),
                };
                let bytes = match part {
                    Ok((start, end, blob)) => {
                        charge(&mut store, ((end - start) as u64).saturating_mul(COPIED_BYTE_FUEL))?;
                        Ok(blob[start..end].to_vec())
                    }
                    Err(error) => Err(error),
                };
                Ok((bytes,))
            })
        },
    )?;
    artifacts.func_wrap_async(
        "read-text",
        |mut store: StoreContextMut<'_, Host>, (digest,): (String,)| {
            Box::new(async move {
                enter(&mut store, digest.copied_bytes())?;
                let text = find(&mut store, &digest).await?.and_then(|blob| text(&blob));
                pay_for(&mut store, &text)?;
                Ok((text,))
            })
        },
    )?;
    artifacts.func_wrap(
        "write",
        |store: StoreContextMut<'_, Host>, (name, media_type, bytes): (String, String, Vec<u8>)| {
            write(store, name, media_type, bytes)
        },
    )?;
    artifacts.func_wrap(
        "write-text",
        |store: StoreContextMut<'_, Host>, (name, media_type, text): (String, String, String)| {
            write(store, name, media_type, text.into_bytes())
        },
    )
}

/// The blobs of one call.
pub(crate) struct Shelf {
    port: Arc<dyn port::Artifacts>,
    written: BTreeMap<Digest, Arc<[u8]>>,
    written_bytes: u64,
    /// So that reading a blob in parts reads it from the store once.
    last_read: Option<(Digest, Arc<[u8]>)>,
}

impl Shelf {
    pub(crate) fn new(port: Arc<dyn port::Artifacts>) -> Self {
        Self { port, written: BTreeMap::new(), written_bytes: 0, last_read: None }
    }

    /// The length of a blob that this call may read and hand on: one that it was handed, or wrote.
    pub(crate) fn known_size(&self, input: &CallInput, digest: Digest) -> Option<u64> {
        let written = self.written.get(&digest).map(|blob| blob.len() as u64);
        written.or_else(|| handed(input).find(|artifact| artifact.digest == digest).map(|a| a.size_bytes))
    }

    /// Puts those of `digests` that this call wrote into the store.
    ///
    /// # Errors
    ///
    /// When the store cannot keep one.
    pub(crate) async fn keep(&self, digests: &BTreeSet<Digest>) -> Result<(), ArtifactsError> {
        for (digest, blob) in self.written.iter().filter(|(digest, _)| digests.contains(digest)) {
            self.port.write(*digest, Arc::clone(blob)).await?;
        }
        Ok(())
    }

    /// Holds a blob, unless there are too many.
    fn hold(&mut self, bytes: Vec<u8>) -> Result<Digest, Error> {
        let length = bytes.len() as u64;
        if length > ARTIFACT_BYTES {
            return Err(Error::TooLarge(ARTIFACT_BYTES));
        }
        if self.written_bytes + length > WRITTEN_BYTES {
            return Err(Error::TooLarge(WRITTEN_BYTES - self.written_bytes));
        }
        self.written_bytes += length;
        let digest = Digest::of(&bytes);
        self.written.insert(digest, bytes.into());
        Ok(digest)
    }
}

/// Every artifact that a call was handed.
fn handed(input: &CallInput) -> impl Iterator<Item = &Artifact> {
    let produced: Vec<&Produced> = input.prior.values().chain(&input.subject).collect();
    produced.into_iter().flat_map(|produced| &produced.artifacts)
}

/// The blob, if the call may read it.
///
/// # Errors
///
/// The outer ones stop the call.
async fn find(
    store: &mut StoreContextMut<'_, Host>,
    digest: &str,
) -> wasmtime::Result<Result<Arc<[u8]>, Error>> {
    let Ok(digest) = digest.parse::<Digest>() else {
        return Ok(Err(Error::Denied(format!("`{digest}` is not a digest"))));
    };
    let host = store.data_mut();
    if let Some(blob) = host.shelf.written.get(&digest) {
        return Ok(Ok(Arc::clone(blob)));
    }
    if let Some((_, blob)) = host.shelf.last_read.as_ref().filter(|(read, _)| *read == digest) {
        return Ok(Ok(Arc::clone(blob)));
    }
    // Whether the store has a blob that the call was not handed is none of its business.
    if host.shelf.known_size(&host.input, digest).is_none() {
        return Ok(Err(Error::Denied(format!("{digest} was neither handed to this call nor written by it"))));
    }
    match host.shelf.port.read(digest).await {
        Ok(Some(blob)) => {
            host.shelf.last_read = Some((digest, Arc::clone(&blob)));
            Ok(Ok(blob))
        }
        Ok(None) => Ok(Err(Error::NotFound)),
        Err(error) => Err(host.stop(Stop::Platform(format!("{digest} cannot be read: {error}"))).into()),
    }
}

/// The range of a blob that is asked for and there.
fn part(blob: &[u8], offset: u64, length: u64) -> Result<std::ops::Range<usize>, Error> {
    let end = offset.saturating_add(length).min(blob.len() as u64);
    let start = offset.min(end);
    if end - start > ARTIFACT_BYTES {
        return Err(Error::TooLarge(ARTIFACT_BYTES));
    }
    let within = "a place inside a blob that is in memory";
    Ok(usize::try_from(start).expect(within)..usize::try_from(end).expect(within))
}

fn text(blob: &[u8]) -> Result<String, Error> {
    if blob.len() as u64 > ARTIFACT_BYTES {
        return Err(Error::TooLarge(ARTIFACT_BYTES));
    }
    let text = std::str::from_utf8(blob);
    text.map(str::to_owned).map_err(|error| Error::Denied(format!("the artifact is not text: {error}")))
}

fn write(
    mut store: StoreContextMut<'_, Host>,
    name: String,
    media_type: String,
    bytes: Vec<u8>,
) -> wasmtime::Result<(Result<wit::Artifact, Error>,)> {
    enter(&mut store, name.copied_bytes() + media_type.copied_bytes() + bytes.copied_bytes())?;
    let artifact = hold(&mut store.data_mut().shelf, name, media_type, bytes);
    pay_for(&mut store, &artifact)?;
    Ok((artifact,))
}

fn hold(shelf: &mut Shelf, name: String, media_type: String, bytes: Vec<u8>) -> Result<wit::Artifact, Error> {
    for (what, text) in [("name", &name), ("media type", &media_type)] {
        if text.is_empty() || text.len() > NAME_BYTES || text.contains(char::is_control) {
            return Err(Error::Denied(format!(
                "`{}` is no {what}; expected one line of 1 to {NAME_BYTES} bytes",
                text.escape_debug().take(NAME_BYTES).collect::<String>()
            )));
        }
    }
    let size = bytes.len() as u64;
    let digest = shelf.hold(bytes)?.to_string();
    Ok(wit::Artifact { name, media_type, digest, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_part(offset: u64, length: u64, expected: &[u8]) {
        let blob = b"0123456789";
        assert_eq!(&blob[part(blob, offset, length).unwrap()], expected);
    }

    #[test]
    fn a_part_never_reaches_beyond_the_end() {
        check_part(0, 3, b"012");
        check_part(8, 3, b"89");
        check_part(10, 1, b"");
        check_part(11, 1, b"");
        check_part(u64::MAX, u64::MAX, b"");
        check_part(0, u64::MAX, b"0123456789");
    }
}
