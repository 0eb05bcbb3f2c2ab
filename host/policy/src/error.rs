//! What is wrong with the files a user wrote, and where.
//!
//! Properties wanted: every error names file, line and column, says what was expected, and offers the nearest name
//! where a name is unknown; all errors of all files come at once.

use std::{fmt, path::PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing runs before this is mended.
    Error,
    /// It works, but hardly as it was meant.
    Warning,
}

impl Severity {
    /// The word that people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file, relative to the project.
    pub file: String,
    /// The first line is 1.
    pub line: usize,
    /// In characters; the first is 1.
    pub column: usize,
    /// The bytes of the file that it is about.
    pub span: std::ops::Range<usize>,
    /// The bytes of the file that are not shown, since they may be a secret.
    pub concealed: Vec<std::ops::Range<usize>>,
    /// A lowercase fragment: what is wrong, and what was expected.
    pub message: String,
    /// What to do, where that is not plain from the message.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, severity, message, .. } = self;
        write!(f, "{file}:{line}:{column}: {}: {message}", severity.as_str())?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {}", help.replace('\n', "\n        ")),
            None => Ok(()),
        }
    }
}

/// One file of a project, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Relative to the project, with `/` between its parts.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Everything that is wrong, in the order of files and lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Sorted by file and position; what is said twice of one place is kept once.
    pub fn new(mut all: Vec<Diagnostic>) -> Self {
        all.sort_by(|a, b| {
            (&a.file, a.span.start, a.severity, &a.message).cmp(&(
                &b.file,
                b.span.start,
                b.severity,
                &b.message,
            ))
        });
        all.dedup();
        Self(all)
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        Self::new(self.0)
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them.
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.0
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For people: each with the lines of the file it is about. Plain text without colour.
    pub fn render(&self, files: &[ConfigFile]) -> String {
        let mut shown = String::new();
        for diagnostic in &self.0 {
            let text = files.iter().find(|file| file.path == diagnostic.file).map_or("", |file| &file.text);
            shown.push_str(&render_one(diagnostic, text));
            shown.push_str("\n\n");
        }
        shown.truncate(shown.trim_end().len());
        shown
    }
}

fn render_one(diagnostic: &Diagnostic, text: &str) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // A span over many lines (a whole table) would print all of them: its first line says enough.
    let start = diagnostic.span.start.min(text.len());
    let line_end = text[start..].find('\n').map_or(text.len(), |offset| start + offset);
    let end = diagnostic.span.end.clamp(start, line_end);
    let text = concealing(text, &diagnostic.concealed);
    let snippet =
        Snippet::source(text).path(&diagnostic.file).annotation(AnnotationKind::Primary.span(start..end));
    let mut group = Group::with_title(level.primary_title(&diagnostic.message)).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    Renderer::plain().render(&[group])
}

/// The text with stars where it may hold a secret, as long as it was.
pub(crate) fn concealing(text: &str, concealed: &[std::ops::Range<usize>]) -> String {
    if concealed.is_empty() {
        return text.to_owned();
    }
    let is_shown = |at: usize| !concealed.iter().any(|range| range.contains(&at));
    let each = text.char_indices().map(|(at, c)| match is_shown(at) || c.is_whitespace() {
        true => c.to_string(),
        false => "*".repeat(c.len_utf8()),
    });
    each.collect()
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, diagnostic) in self.0.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Why a project cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no project in the folder.
    #[error("{} does not exist; `tollgate init` makes a project, or name its folder", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// The files were read, and are wrong.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}

/// The name most like `name`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Advice on an unknown name: the nearest one, else all there are.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(name, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    (!all.is_empty()).then(|| format!("known are {}", all.join(", ")))
}
