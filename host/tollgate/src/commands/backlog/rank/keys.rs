//! Entries as people list them.

use std::{collections::BTreeSet, fs, io::Read as _, path::Path};

use crate::error::{Failure, Result};

/// The names that were given, each once, as arguments, in a file or on standard input; none when none was asked for.
///
/// # Errors
///
/// When the file or standard input cannot be read, or names nothing.
pub(super) fn read(arguments: &[String], file: Option<&Path>) -> Result<Option<Vec<String>>> {
    let (lines, place) = match (arguments, file) {
        (_, Some(path)) => {
            let place = path.display().to_string();
            (fs::read_to_string(path).map_err(Failure::io(format!("read {place}")))?, place)
        }
        ([dash], None) if dash == "-" => {
            let mut lines = String::new();
            std::io::stdin().read_to_string(&mut lines).map_err(Failure::io("read standard input"))?;
            (lines, "standard input".to_owned())
        }
        ([], None) => return Ok(None),
        (named, None) => return Ok(Some(once(named.iter().map(String::as_str)))),
    };
    let named = once(lines.lines());
    if named.is_empty() {
        return Err(Failure::mistake_with_hint(format!("{place} names no entry"), "write one key a line"));
    }
    Ok(Some(named))
}

fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = names.map(str::trim).filter(|name| !name.is_empty());
    names.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_key_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, "LIB-1\r\n\n  LIB-2 \nLIB-1\n").unwrap();
        assert_eq!(read(&[], Some(&file)).unwrap().unwrap(), ["LIB-1", "LIB-2"]);
        assert_eq!(read(&["A".into(), "B".into(), "A".into()], None).unwrap().unwrap(), ["A", "B"]);
        assert_eq!(read(&[], None).unwrap(), None);
        fs::write(&file, " \n").unwrap();
        assert!(read(&[], Some(&file)).unwrap_err().to_string().ends_with("names no entry"));
        assert!(read(&[], Some(&folder.path().join("none"))).is_err());
    }
}
