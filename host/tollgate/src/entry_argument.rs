//! Entries as people name them: a key, a tracker and a key, or the file of the item.

use std::path::Path;

use tollgate_store::{Store, StoreError, port::EntryDetail};

use crate::{
    error::{Failure, Result},
    ui::text::nearest,
};

/// What the help says of such an argument.
pub(crate) const HELP: &str =
    "An entry's key, `TRACKER#KEY` where a key is in several trackers, or the path of its file";

/// Names that are read at once where an entry has to be looked for.
const PAGE: u32 = 10_000;

/// The entry that is meant.
///
/// # Errors
///
/// When there is none, or more than one; with the nearest key, where one is near.
pub(crate) async fn find(store: &dyn Store, project: &Path, argument: &str) -> Result<EntryDetail> {
    match store.entry(argument, None).await {
        Err(StoreError::NotFound { .. }) => {}
        found => return Ok(found?),
    }
    if let Some((tracker, key)) = argument.rsplit_once('#') {
        match store.entry(key, Some(tracker)).await {
            Err(StoreError::NotFound { .. }) => {}
            found => return Ok(found?),
        }
    }
    let place = place_in_project(project, Path::new(argument));
    let (mut near, mut after) = (None::<String>, None);
    loop {
        let names = store.names(after, PAGE).await?;
        let Some(last) = names.last() else { return Err(unknown(argument, near.as_deref())) };
        after = Some(last.id);
        if let Some(entry) = names.iter().find(|entry| place.is_some() && entry.url == place) {
            return Ok(store.entry(&entry.name.key, Some(&entry.name.tracker)).await?);
        }
        let keys = names.iter().map(|entry| entry.name.key.as_str());
        near = nearest(argument, near.as_deref().into_iter().chain(keys)).map(str::to_owned);
    }
}

/// The path of a file relative to the project, as entries have it; none when it is not in the project.
fn place_in_project(project: &Path, file: &Path) -> Option<String> {
    let whole = file.canonicalize().or_else(|_| project.join(file).canonicalize()).ok()?;
    let inside = whole.strip_prefix(project).ok()?;
    let parts: Option<Vec<_>> = inside.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

fn unknown(argument: &str, near: Option<&str>) -> Failure {
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`tollgate backlog list` shows every entry; `tollgate run` reads new items first".to_owned(),
    };
    Failure::mistake_with_hint(format!("there is no entry `{argument}`"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_from_the_project() {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().canonicalize().unwrap();
        std::fs::create_dir(folder.join("backlog")).unwrap();
        std::fs::write(folder.join("backlog/a b.md"), "").unwrap();
        let place = |path: &Path| place_in_project(&folder, path);
        assert_eq!(place(Path::new("backlog/a b.md")).as_deref(), Some("backlog/a b.md"));
        assert_eq!(place(&folder.join("backlog/../backlog/a b.md")).as_deref(), Some("backlog/a b.md"));
        assert_eq!(place(Path::new("backlog/none.md")), None);
        assert_eq!(place(Path::new("/")), None);
    }

    #[test]
    fn a_near_key_is_offered() {
        let failure = unknown("LIB-12", Some("LIB-121"));
        assert_eq!(failure.to_string(), "there is no entry `LIB-12`");
        assert_eq!(failure.hint().unwrap(), "did you mean `LIB-121`?");
    }
}
