//! Sources that would read the same files.
//!
//! A file that two sources read would be two entries, worked on twice. Whether one folder is inside another is asked of the disk:
//! a link may lead to where no name says so. What the outer source ignores belongs to the inner one alone.

use std::path::{Path, PathBuf};

use ignore::gitignore::GitignoreBuilder;

use crate::{
    error::Diagnostics,
    load::PROJECT_FILE,
    policy::{FolderSource, Policy},
    source_map::Report,
};

/// A source whose folder is there.
struct Found<'a> {
    backlog: &'a str,
    source: &'a FolderSource,
    folder: PathBuf,
}

impl Policy {
    /// Looks for sources inside one another, in the folder of the project. A folder that is not there is passed over: who reads
    /// it says so.
    pub fn check_sources(&self, project: &Path) -> Diagnostics {
        let mut report = Report::default();
        let Some(file) = self.sources.iter().find(|source| source.config.path == PROJECT_FILE) else {
            return report.finish();
        };
        let found = self.found_sources(project);
        for (number, one) in found.iter().enumerate() {
            for other in &found[..number] {
                let (inner, outer) =
                    if one.folder.starts_with(&other.folder) { (one, other) } else { (other, one) };
                if reads(outer, inner) {
                    let place = file.root().key("backlog").key(inner.backlog).key("source");
                    let place = place.index(inner.source.position).key("folder");
                    report.error(&place, message(inner, outer), Some(help(inner, outer)));
                }
            }
        }
        report.finish()
    }

    fn found_sources(&self, project: &Path) -> Vec<Found<'_>> {
        let mut all = Vec::new();
        for backlog in self.backlogs.values() {
            for source in &backlog.sources {
                if let Ok(folder) = project.join(&source.folder).canonicalize() {
                    all.push(Found { backlog: &backlog.name, source, folder });
                }
            }
        }
        all
    }
}

/// Whether the outer source looks into the folder of the inner one.
fn reads(outer: &Found<'_>, inner: &Found<'_>) -> bool {
    let Ok(way) = inner.folder.strip_prefix(&outer.folder) else { return false };
    let hidden = way.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
    !hidden && !is_ignored(&outer.source.ignore, way)
}

fn is_ignored(patterns: &[String], way: &Path) -> bool {
    if way.as_os_str().is_empty() {
        return false;
    }
    let mut builder = GitignoreBuilder::new("");
    for pattern in patterns {
        // What is no pattern is told by the tracker, which reads the folder.
        drop(builder.add_line(None, pattern));
    }
    builder.build().is_ok_and(|ignored| ignored.matched_path_or_any_parents(way, true).is_ignore())
}

fn message(inner: &Found<'_>, outer: &Found<'_>) -> String {
    let of = |found: &Found<'_>| format!("`{}` of backlog `{}`", found.source.folder, found.backlog);
    let stands = if inner.folder == outer.folder { "is the same folder as" } else { "is inside" };
    format!("the source {} {stands} the source {}: its files would be read twice", of(inner), of(outer))
}

fn help(inner: &Found<'_>, outer: &Found<'_>) -> String {
    match inner.folder.strip_prefix(&outer.folder) {
        Ok(way) if !way.as_os_str().is_empty() => {
            format!("take one of them out, or add `ignore = [\"/{}/\"]` to the outer one", way.display())
        }
        _ => "take one of them out".into(),
    }
}
