//! What every command is handed.

use std::path::PathBuf;

use crate::{
    env::Environment,
    error::Result,
    project::{self, Project},
    ui::printer::Printer,
};

/// What every command is handed.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Where output goes.
    pub(crate) printer: Printer,
    /// What the environment says.
    pub(crate) environment: Environment,
    /// `--project`.
    pub(crate) project: Option<PathBuf>,
}

impl Context {
    /// The project that the command is about, its configuration loaded.
    ///
    /// # Errors
    ///
    /// When there is none, or its configuration is wrong.
    pub(crate) fn project(&self) -> Result<Project> {
        Project::load(&project::find(self.project.as_deref())?)
    }
}
