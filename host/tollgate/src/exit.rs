//! Exit codes: what a script may rely on.

use std::process::ExitCode;

/// How a command ended, for the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for was done.
    Done = 0,
    /// It was done, and something in it failed: a run failed or was given to a person, an audit found a problem.
    Failed = 1,
    /// Not everything was done: a cap was reached, or the host was asked to stop.
    Stopped = 2,
    /// A person's mistake: on the command line, in a file of the project, or in the name of something.
    Mistake = 3,
    /// The store, the disk or the machine failed.
    Platform = 4,
}

impl Exit {
    /// What the help says of exit codes.
    pub(crate) const HELP: &'static str = "\
Exit codes:
  0  done
  1  done, and something failed or was given to a person
  2  a cap was reached, or the host was asked to stop; this wins over 1
  3  a mistake in the command, the configuration or a name
  4  the store, the disk or the machine failed";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
