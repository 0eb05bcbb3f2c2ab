//! The examples that are part of this program, and how one is laid into a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};

use crate::error::{Failure, Result};

static EXAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../examples");

/// The example that `tollgate demo` runs.
pub(crate) const DEMO: &str = "spec-generation";

/// A project that is part of this program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example {
    name: &'static str,
    folder: &'static Dir<'static>,
}

/// What was done with files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Files that were written, relative to the project.
    pub(crate) written: Vec<String>,
    /// Files that were there already and stayed as they were.
    pub(crate) kept: Vec<String>,
}

impl Example {
    /// The names of all examples.
    pub(crate) fn names() -> Vec<&'static str> {
        let mut names: Vec<_> = EXAMPLES.dirs().filter_map(|folder| folder.path().to_str()).collect();
        names.sort_unstable();
        names
    }

    /// The example of this name.
    ///
    /// # Errors
    ///
    /// When there is none, naming all there are.
    pub(crate) fn find(name: &str) -> Result<Self> {
        let found = EXAMPLES.dirs().find(|folder| folder.path() == Path::new(name));
        let found = found.and_then(|folder| Some(Self { name: folder.path().to_str()?, folder }));
        found.ok_or_else(|| {
            let names = Self::names().join("`, `");
            Failure::mistake_with_hint(
                format!("there is no example `{name}`"),
                format!("there are `{names}`"),
            )
        })
    }

    /// Its files, relative to it: those that a person wrote, not what running it left behind.
    fn files(&self) -> Vec<(PathBuf, &'static [u8])> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder];
        while let Some(folder) = folders.pop() {
            folders.extend(folder.dirs());
            files.extend(folder.files().map(|file| (file.path(), file.contents())));
        }
        let inside =
            |(path, bytes): (&'static Path, _)| Some((path.strip_prefix(self.name).ok()?.to_owned(), bytes));
        let mut files: Vec<_> =
            files.into_iter().filter_map(inside).filter(|(path, _)| is_part(path)).collect();
        files.sort();
        files
    }

    /// Lays it into a folder. A file that is there stays as it is.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub(crate) fn unpack(&self, into: &Path) -> Result<Written> {
        let mut done = Written::default();
        for (path, bytes) in self.files() {
            write_new(into, &path.to_string_lossy(), bytes, &mut done)?;
        }
        Ok(done)
    }
}

/// What an example consists of: its documents, its policy and its items.
fn is_part(path: &Path) -> bool {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let Some(name) = parts.last() else { return false };
    let is_hidden = parts.iter().any(|part| part.starts_with('.'));
    let is_record = name.ends_with(".tollgate.md");
    !is_hidden
        && !is_record
        && matches!(parts[0].as_ref(), "README.md" | "tollgate.toml" | "pipelines" | "backlog")
}

/// Writes a file that is not there yet.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn write_new(folder: &Path, path: &str, bytes: &[u8], done: &mut Written) -> Result<()> {
    let place = folder.join(path);
    let failed = || Failure::io(format!("write {}", place.display()));
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent).map_err(failed())?;
    }
    let opened = fs::OpenOptions::new().write(true).create_new(true).open(&place);
    match opened.and_then(|mut file| std::io::Write::write_all(&mut file, bytes)) {
        Ok(()) => done.written.push(path.to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => done.kept.push(path.to_owned()),
        Err(error) => return Err(failed()(error)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_holds_what_a_project_needs_and_nothing_that_running_it_left() {
        for name in Example::names() {
            let example = Example::find(name).unwrap();
            let files: Vec<_> = example.files().into_iter().map(|(path, _)| path).collect();
            for needed in ["README.md", "tollgate.toml"] {
                assert!(files.contains(&needed.into()), "{name} has no {needed}");
            }
            assert!(files.iter().any(|path| path.starts_with("pipelines")), "{name} has no pipeline");
            assert!(
                files.iter().filter(|path| path.starts_with("backlog")).count() >= 3,
                "{name} has few items"
            );
        }
        for left in [".gitattributes", ".tollgate/tollgate.db", "specs/LIB-1.md", "backlog/LIB-1.tollgate.md"]
        {
            assert!(!is_part(Path::new(left)), "{left}");
        }
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("README.md"), "mine").unwrap();
        let example = Example::find(DEMO).unwrap();
        let first = example.unpack(folder.path()).unwrap();
        assert_eq!(first.kept, ["README.md"]);
        assert_eq!(fs::read_to_string(folder.path().join("README.md")).unwrap(), "mine");
        assert_eq!(example.unpack(folder.path()).unwrap().written, Vec::<String>::new());
    }

    #[test]
    fn an_unknown_example_is_answered_by_those_there_are() {
        let hint = Example::find("spec").unwrap_err().hint().unwrap();
        assert!(hint.contains("`spec-generation`"), "{hint}");
    }
}
