//! The binary, in a debug build, which has places at which a test may kill it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// A process that ended.
#[must_use]
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code; none when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// What it printed, after checking how it ended.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The JSON that it printed.
    #[track_caller]
    pub(crate) fn json(self, code: i32) -> serde_json::Value {
        let stdout = self.expect_code(code);
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}:\n{stdout}"))
    }
}

/// The binary, about to be run in `folder` with nothing of this process's environment but what it needs.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(folder).args(args).env_clear();
    for kept in ["PATH", "HOME", "TMPDIR"] {
        #[expect(clippy::disallowed_methods, reason = "a child process needs these of its parent's")]
        if let Ok(value) = std::env::var(kept) {
            command.env(kept, value);
        }
    }
    command.env("NO_COLOR", "1").env("TOLLGATE_CACHE", cache()).env("TOLLGATE_HOST", "test");
    command
}

/// Runs the binary in `folder` and waits for its end.
pub(crate) fn tollgate(folder: &Path, args: &[&str]) -> Finished {
    finish(command(folder, args))
}

/// Runs a command and waits for its end.
pub(crate) fn finish(mut command: Command) -> Finished {
    let output = command.output().expect("the binary can be started");
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("output is text"),
        stderr: String::from_utf8(output.stderr).expect("output is text"),
    }
}

/// One cache of compiled components for all tests, so that each component is compiled once. The binary makes the folder itself.
fn cache() -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary folder can be made")).path().join("cache")
}
