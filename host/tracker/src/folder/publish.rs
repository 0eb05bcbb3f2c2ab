//! Files that a stage asks to have published.
//!
//! A plugin chooses the path, so a path that leads out of the project, or to what decides on work (settings, pipelines,
//! plugins, items, records), is refused, whatever links lie on the way. Whatever stands there and is not known to be ours
//! stays.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use serde_json::json;
use tollgate_core::{
    Digest,
    effect::{Delivered, PublishFile},
};

use super::{
    config::FolderConfig,
    files::{self, Existing, ReadError},
    scan,
};
use crate::port::DeliveryError;

/// More than any artifact may have.
const PUBLISHED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Where a file is to be published, or why it is not.
#[derive(Debug)]
enum Target {
    At(PathBuf),
    Refused(String),
}

/// Puts the bytes at the path, unless something else is there. `root` is the folder of items, without links.
pub(super) fn publish(
    config: &FolderConfig,
    root: &Path,
    file: &PublishFile,
    bytes: &[u8],
    previous: Option<Digest>,
) -> Result<Delivered, DeliveryError> {
    let shown = file.path.as_str();
    let failed = |error: io::Error| DeliveryError {
        message: format!("cannot publish {shown}: {error}"),
        retry_after: None,
    };
    let refused =
        |reason: String| Ok(Delivered::Refused { reason: format!("{shown} is not published: {reason}") });
    let digest = Digest::of(bytes);
    if digest != file.artifact {
        return refused(format!(
            "its bytes have the digest {digest}, and the effect names {}",
            file.artifact
        ));
    }
    let path = match target(config, root, shown).map_err(failed)? {
        Target::At(path) => path,
        Target::Refused(reason) => return refused(reason),
    };
    let existing = match files::read(&path, PUBLISHED_BYTES_MAX) {
        Ok((there, _)) if there == bytes => return Ok(done(shown, digest, true)),
        Ok((there, _)) if Some(Digest::of(&there)) == previous => Existing::Replace,
        Err(ReadError::Missing) => Existing::Keep,
        Ok(_) | Err(ReadError::TooLarge { .. }) => {
            return refused(
                "a file that Tollgate did not write is there; move it, or publish to another path".into(),
            );
        }
        Err(ReadError::NotPlain) => {
            return refused("what is there is no plain file; move it, or publish to another path".into());
        }
        Err(ReadError::Io(error)) => return Err(failed(error)),
    };
    files::write(&path, bytes, existing).map_err(failed)?;
    match files::read(&path, PUBLISHED_BYTES_MAX) {
        Ok((there, _)) if there == bytes => Ok(done(shown, digest, false)),
        Ok(_) => Err(failed(io::Error::other("it says something else when read back"))),
        Err(error) => Err(failed(io::Error::other(format!("when read back it {error}")))),
    }
}

fn done(shown: &str, digest: Digest, was_there: bool) -> Delivered {
    let data = json!({ "digest": digest, "was-there": was_there });
    Delivered::Done { reference: Some(shown.to_owned()), data }
}

/// Makes the folders on the way, after the way was judged with every link in it followed.
fn target(config: &FolderConfig, root: &Path, shown: &str) -> io::Result<Target> {
    let project = config.project.canonicalize()?;
    let relative = Path::new(shown);
    if shown.is_empty() || !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return Ok(Target::Refused("expected a path inside the project, such as specs/12.md".into()));
    }
    let wanted = project.join(relative);
    let Some(parent) = wanted.parent() else { return Err(io::Error::other("a file needs a folder")) };
    let Ok(parent) = files::resolve(parent) else {
        return Ok(Target::Refused("a link on the way leads to nothing".into()));
    };
    let name = relative.file_name().unwrap_or_default();
    let resolved = parent.join(name);
    let Ok(inside) = resolved.strip_prefix(&project) else {
        return Ok(Target::Refused("a link on the way leads out of the project".into()));
    };
    if let Some(reason) = trouble_with_place(config, root, &resolved, &files::with_slashes(inside)) {
        return Ok(Target::Refused(reason));
    }
    match fs::create_dir_all(&parent) {
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory) => {
            return Ok(Target::Refused("a file stands where a folder of its path should be".into()));
        }
        made => made?,
    }
    Ok(Target::At(resolved))
}

fn trouble_with_place(config: &FolderConfig, root: &Path, resolved: &Path, inside: &str) -> Option<String> {
    // Some file systems take `Pipelines` for `pipelines`.
    let lower = inside.to_lowercase();
    let is_within = |place: &String| {
        let place = place.trim_end_matches('/').to_lowercase();
        lower == place || lower.strip_prefix(&place).is_some_and(|rest| rest.starts_with('/'))
    };
    if lower.split('/').any(|part| part.starts_with('.')) {
        return Some("hidden files and folders are not for plugins; publish to another path".into());
    }
    if let Some(place) = config.reserved.iter().find(|place| is_within(place)) {
        return Some(format!("`{place}` decides what Tollgate does; publish to another path"));
    }
    if resolved.starts_with(root) || is_within(&config.folder) {
        return Some(format!("`{}` holds the items; publish to another path", config.folder));
    }
    let is_record = scan::is_record_file(config, inside);
    is_record
        .then(|| format!("names that end in `{}` are for records; publish to another path", config.records))
}
