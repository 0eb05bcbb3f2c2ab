//! How a folder of items is to be read and written.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;

/// A folder of items within a project. [`FolderConfig::new`] documents the defaults.
#[derive(Debug, Clone)]
pub struct FolderConfig {
    /// The project's folder: every path in reports and effects is relative to it.
    pub project: PathBuf,
    /// The folder of items, relative to the project, with `/` between its parts. It names the tracker.
    pub folder: String,
    /// The kind of every item, e.g. `defect`.
    pub kind: String,
    /// What is not read: patterns as in `.gitignore`, relative to the folder. They come after `README.md` in any case,
    /// so `!README.md` takes it back. Hidden files and folders are never read.
    pub ignore: Vec<String>,
    /// How long a file must have been still.
    pub settle: Duration,
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// Where the facts of an item stand.
    pub names: Names,
    /// The front matter's member, or the heading, that holds an item's state.
    pub state_field: String,
    /// The states in which no work is left, in any case.
    pub closed: Vec<String>,
    /// How the name of a record file ends; what comes before is the stem of the item's file. Such files are never items.
    pub records: String,
    /// Which states the project lets an item be moved to; none forbids it.
    pub moves: Option<MoveTable>,
    /// How it shows that a run works on an item.
    pub claim_marker: ClaimMarker,
    /// Folders that items are moved to when their run is over.
    pub shelves: Shelves,
    /// Paths within the project, files or folders, to which nothing is published. The folder of items itself, hidden names
    /// and record files are always reserved.
    pub reserved: Vec<String>,
}

/// Where the facts of an item stand: members of its front matter, or headings of plain Markdown. Of several the first that
/// is there counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its key. Without it the stem of the file is the key.
    pub id: Vec<String>,
    /// One line. Without it the first heading is the title.
    pub title: Vec<String>,
    /// Labels, as a list or separated by commas.
    pub labels: Vec<String>,
    /// When it was written: a date, a local time or RFC 3339.
    pub created: Vec<String>,
    /// Keys of what must be done before it, as a list or separated by commas.
    pub depends: Vec<String>,
    /// Who wrote it.
    pub author: Vec<String>,
}

/// Which states an item may be moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveTable {
    /// The front matter's member, or the heading, that holds the state.
    pub field: String,
    /// What stands there for each state that an effect can name.
    pub states: BTreeMap<String, String>,
}

/// How a folder shows that a run works on an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClaimMarker {
    /// Not at all.
    #[default]
    None,
    /// By a file beside the item.
    Sidecar,
    /// The item is in `in-progress/` meanwhile.
    Move,
}

/// Folders that items are moved to when their run is over, below the folder of items, without strokes around them; none: they
/// stay. They are read whatever is ignored: what is in them is known to be over, or on hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shelves {
    /// When it is done.
    pub done: Option<String>,
    /// When it failed or was cancelled.
    pub failed: Option<String>,
    /// When it was given to a person.
    pub escalated: Option<String>,
}

/// Settings that no folder can be read by.
#[derive(Debug, thiserror::Error)]
pub enum FolderConfigError {
    /// A pattern that is none.
    #[error("`{pattern}` is not a pattern of files to ignore: {message}")]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// A suffix that would hide items or not be found again.
    #[error(
        "`{0}` cannot end the names of record files; expected a dot, a word and `.md`, e.g. `.tollgate.md`"
    )]
    Suffix(String),
    /// A folder that is none.
    #[error("`{0}` does not name a folder; expected a path relative to the project, e.g. `docs/backlog`")]
    Folder(String),
}

impl FolderConfig {
    /// The folder `folder` of the project at `project`, with two seconds to settle, UTC, the names that people use, the state
    /// in `status`, records in `.tollgate.md`, and no moves.
    pub fn new(project: impl Into<PathBuf>, folder: impl Into<String>) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            project: project.into(),
            folder: folder.into(),
            kind: String::new(),
            ignore: Vec::new(),
            settle: Duration::from_secs(2),
            zone: TimeZone::UTC,
            names: Names::default(),
            state_field: "status".to_owned(),
            closed: texts(&["done", "completed", "closed", "fixed", "wontfix", "cancelled"]),
            records: ".tollgate.md".to_owned(),
            moves: None,
            claim_marker: ClaimMarker::default(),
            shelves: Shelves::default(),
            reserved: texts(&["tollgate.toml", "pipelines", "plugins"]),
        }
    }
}

impl Default for Names {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            id: texts(&["id", "key"]),
            title: texts(&["title"]),
            labels: texts(&["labels", "tags"]),
            created: texts(&["created", "created_at", "created_date", "date"]),
            depends: texts(&["depends", "depends_on", "dependencies", "blocked_by"]),
            author: texts(&["author", "reporter"]),
        }
    }
}
