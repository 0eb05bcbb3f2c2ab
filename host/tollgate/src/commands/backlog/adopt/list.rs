//! Keys of finished work, one a line.

use std::{fs, path::Path};

use tollgate_core::adoption::{Evidence, EvidenceKind};
use tollgate_engine::adopt::Testimony;

use crate::error::{Failure, Result};

/// What a list says.
///
/// # Errors
///
/// When it cannot be read, or names nothing.
pub(super) fn read(path: &Path) -> Result<Vec<Testimony>> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(Failure::io(format!("read {shown}")))?;
    let found: Vec<_> = text
        .lines()
        .enumerate()
        .filter_map(|(at, line)| testimony(line.trim(), format!("{shown}:{}", at + 1)))
        .collect();
    if found.is_empty() {
        return Err(Failure::mistake_with_hint(format!("{shown} names no entry"), "write one key a line"));
    }
    Ok(found)
}

/// A key may have spaces in it where a tab ends it.
fn testimony(line: &str, place: String) -> Option<Testimony> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (key, says) = line.split_once('\t').or_else(|| line.split_once(' ')).unwrap_or((line, ""));
    Some(Testimony {
        written: key.trim().to_owned(),
        title: None,
        evidence: Evidence { kind: EvidenceKind::List, place, says: says.trim().to_owned(), done_at: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_key_and_what_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("done.txt");
        fs::write(
            &path,
            "# closed in spring\r\nLIB-1\r\n\nLIB-2  see the wiki\nback 7 - Title\tpull request 3\n",
        )
        .unwrap();
        let found = read(&path).unwrap();
        let lines: Vec<_> = found
            .iter()
            .map(|it| {
                let line = it.evidence.place.rsplit(':').next().unwrap_or_default();
                (it.written.as_str(), line, it.evidence.says.as_str())
            })
            .collect();
        let expected =
            [("LIB-1", "2", ""), ("LIB-2", "4", "see the wiki"), ("back 7 - Title", "5", "pull request 3")];
        assert_eq!(lines, expected);
        fs::write(&path, "# nothing\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("names no entry"));
    }
}
