//! Keys.

use std::{fmt, fs, path::Path};

use reqwest::header::HeaderValue;
use tollgate_core::model::KeySource;

use crate::OpenError;

/// A provider's key. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// Reads the key of a model.
    pub(crate) fn read(
        model: &str,
        source: &KeySource,
        project: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, OpenError> {
        let model = model.to_owned();
        let (found, place) = match source {
            KeySource::Environment(name) => match variable(name) {
                Some(found) => (found, name.clone()),
                None => return Err(OpenError::NoVariable { model, variable: name.clone() }),
            },
            KeySource::File(path) => {
                let path = project.join(path);
                match fs::read_to_string(&path) {
                    Ok(found) => (found, path.display().to_string()),
                    Err(source) => return Err(OpenError::NoFile { model, path, source }),
                }
            }
        };
        let key = found.trim();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(OpenError::NoKey { model, place });
        }
        Ok(Self(key.to_owned()))
    }

    /// The key behind `prefix`, as the value of a header that nothing shows.
    pub(crate) fn header(&self, prefix: &str) -> HeaderValue {
        let value = HeaderValue::try_from(format!("{prefix}{}", self.0));
        let mut value = value.expect("a key is visible ASCII, which a header may hold");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-test-0123456789";

    fn in_file(text: &str) -> Result<Key, OpenError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), text).unwrap();
        Key::read("deep", &KeySource::File("key".into()), folder.path(), &|_| None)
    }

    #[test]
    fn a_key_is_read_from_where_it_is_kept() {
        let variable = |name: &str| (name == "THE_KEY").then(|| SECRET.to_owned());
        let source = KeySource::Environment("THE_KEY".into());
        let key = Key::read("deep", &source, Path::new("."), &variable).unwrap();
        assert_eq!(key.header("Bearer ").to_str().unwrap(), format!("Bearer {SECRET}"));
        assert_eq!(in_file(&format!("{SECRET}\n")).unwrap(), key);
    }

    #[test]
    fn nothing_shows_a_key() {
        let key = Key(SECRET.into());
        assert!(!format!("{key:?} {:?}", key.header("")).contains(SECRET));
        let error = in_file(&format!("{SECRET}\nand more")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET));
    }

    #[test]
    fn what_is_missing_is_named() {
        let source = KeySource::Environment("THE_KEY".into());
        let error = Key::read("deep", &source, Path::new("."), &|_| None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model `deep` has no key: the environment variable THE_KEY is not set"
        );
        assert!(in_file(" \n").is_err());
        let missing = Key::read("deep", &KeySource::File("no/such".into()), Path::new("."), &|_| None);
        assert!(missing.unwrap_err().to_string().contains("no/such cannot be read"));
    }
}
