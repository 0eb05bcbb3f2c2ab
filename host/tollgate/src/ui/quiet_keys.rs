//! A terminal that shows no `^C` where it is pressed.
//!
//! The lines at the foot are drawn over by counting lines, and the cursor rests at the end of the last one. What the terminal echoes
//! there goes to a line of its own, and one line of the foot would stay behind.

use std::io;

use rustix::{
    process::getpgrp,
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};

/// Keys that mean something are not echoed until this is dropped.
pub(crate) struct QuietKeys {
    before: Termios,
}

impl std::fmt::Debug for QuietKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuietKeys").finish_non_exhaustive()
    }
}

impl QuietKeys {
    /// None where stderr is no terminal of this process.
    pub(crate) fn begin() -> Option<Self> {
        if !is_in_foreground() {
            return None;
        }
        let before = tcgetattr(io::stderr()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHOCTL);
        tcsetattr(io::stderr(), OptionalActions::Now, &quiet).ok()?;
        Some(Self { before })
    }
}

impl Drop for QuietKeys {
    fn drop(&mut self) {
        if is_in_foreground() {
            // A terminal that is gone needs nothing back.
            let _gone = tcsetattr(io::stderr(), OptionalActions::Now, &self.before);
        }
    }
}

/// A process in the background that changes a terminal is stopped by it.
fn is_in_foreground() -> bool {
    tcgetpgrp(io::stderr()).is_ok_and(|foreground| foreground == getpgrp())
}
