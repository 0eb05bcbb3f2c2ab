//! From a folder to a [`Policy`]: read, validate by schema, resolve. Each step goes as far as it can, so that all
//! mistakes of all files are reported together.

use std::{fs, io, path::Path};

use serde::de::DeserializeOwned;

use crate::{
    error::{ConfigFile, Diagnostics, LoadError},
    pipeline_file::PipelineFile,
    policy::Policy,
    project::ProjectFile,
    resolve, schema,
    source_map::{Report, SourceFile},
};

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "tollgate.toml";
/// The folder of its pipelines.
pub const PIPELINE_FOLDER: &str = "pipelines";

impl Policy {
    /// Reads `tollgate.toml` and `pipelines/*.toml` in the folder of a project.
    ///
    /// # Errors
    ///
    /// When there is no project, a file cannot be read, or anything in the files is wrong.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        Self::load_for(folder, &[])
    }

    /// The same, for hosts that serve capabilities beyond those of the contract; `grants` are what stages need for them.
    ///
    /// # Errors
    ///
    /// As [`Policy::load`].
    pub fn load_for(folder: &Path, grants: &[&str]) -> Result<Self, LoadError> {
        Ok(Self::resolved(read_files(folder)?, grants)?)
    }

    /// The same, of files that were read already: `tollgate.toml` and those in `pipelines/`.
    ///
    /// # Errors
    ///
    /// When anything in the files is wrong.
    pub fn from_files(files: Vec<ConfigFile>) -> Result<Self, Diagnostics> {
        Self::resolved(files, &[])
    }

    /// What these files say for the same host: one that serves the same capabilities, and runs on its machine as before.
    ///
    /// # Errors
    ///
    /// When anything in the files is wrong.
    pub fn with_files(&self, files: Vec<ConfigFile>) -> Result<Self, Diagnostics> {
        let grants: Vec<&str> = self.grants.iter().map(String::as_str).collect();
        Ok(Self { instance: self.instance.clone(), ..Self::resolved(files, &grants)? })
    }

    fn resolved(files: Vec<ConfigFile>, grants: &[&str]) -> Result<Self, Diagnostics> {
        let mut report = Report::default();
        let sources: Vec<_> = files.into_iter().map(|file| SourceFile::read(file, &mut report)).collect();
        if !report.is_empty() {
            return Err(report.finish());
        }
        let mut project = None;
        let mut pipelines = Vec::new();
        for source in &sources {
            if source.config.path == PROJECT_FILE {
                project = read_as::<ProjectFile>(source, &mut report).map(|file| (source, file));
            } else if let Some(name) = pipeline_name(&source.config.path) {
                let file = read_as::<PipelineFile>(source, &mut report);
                pipelines.push((name.to_owned(), source, file));
            }
        }
        let resolved = resolve::resolve(project, pipelines, grants, &mut report);
        match resolved {
            Some(policy) if report.is_empty() => Ok(Self { sources, ..policy }),
            _ => Err(report.finish()),
        }
    }
}

fn pipeline_name(path: &str) -> Option<&str> {
    path.strip_prefix(PIPELINE_FOLDER)?
        .strip_prefix('/')?
        .strip_suffix(".toml")
        .filter(|name| !name.contains('/'))
}

fn read_as<T: DeserializeOwned + schemars::JsonSchema>(
    source: &SourceFile,
    report: &mut Report,
) -> Option<T> {
    let schema = schema::schema_of::<T>();
    let mut found = Report::default();
    if let Err(error) = schema::validate(schema.as_value(), &source.value, &source.root(), &mut found) {
        // Our own schema is one; the test that writes it shows that.
        found.error(&source.root(), error, None);
    }
    let valid = found.is_empty();
    report.append(found);
    if !valid {
        return None;
    }
    // What the schema accepts, the types accept: they are made of one another.
    report.take(&source.root(), serde_json::from_value(source.value.clone()))
}

fn read_files(folder: &Path) -> Result<Vec<ConfigFile>, LoadError> {
    let project = folder.join(PROJECT_FILE);
    let mut files = vec![match read_text(&project, PROJECT_FILE.into()) {
        Err(LoadError::Unreadable { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LoadError::Missing { path: project });
        }
        read => read?,
    }];
    let pipelines = folder.join(PIPELINE_FOLDER);
    let mut names = match fs::read_dir(&pipelines).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()
    }) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(LoadError::Unreadable { path: pipelines, error }),
    };
    names.retain(|name| name.ends_with(".toml") && !name.starts_with('.'));
    names.sort();
    for name in names {
        files.push(read_text(&pipelines.join(&name), format!("{PIPELINE_FOLDER}/{name}"))?);
    }
    Ok(files)
}

fn read_text(path: &Path, name: String) -> Result<ConfigFile, LoadError> {
    let text =
        fs::read_to_string(path).map_err(|error| LoadError::Unreadable { path: path.to_owned(), error })?;
    Ok(ConfigFile { path: name, text })
}
