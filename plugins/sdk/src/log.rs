//! Lines for the run's log. One line is cut by the host at 8 KiB; each costs fuel by its length.
//!
//! ```
//! tollgate_plugin::info!("found {} criteria", 3);
//! ```

#[cfg(not(target_family = "wasm"))]
use crate::double as host;
#[cfg(target_family = "wasm")]
use crate::guest as host;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every turn of a loop.
    Trace,
    /// For whoever writes the plugin.
    Debug,
    /// For whoever reads the run.
    Info,
    /// Something is not as it should be, and the call goes on.
    Warn,
    /// Something went wrong.
    Error,
}

impl Level {
    /// The word the contract uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// Writes one line. The macros of this crate, such as [`crate::info!`], are shorter.
pub fn write(level: Level, message: &str) {
    host::write_log(level, message);
}

/// Writes a line at level `trace`, in the syntax of [`std::format!`].
#[macro_export]
macro_rules! trace {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Trace, &::std::format!($($arg)*)) };
}

/// Writes a line at level `debug`, in the syntax of [`std::format!`].
#[macro_export]
macro_rules! debug {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($arg)*)) };
}

/// Writes a line at level `info`, in the syntax of [`std::format!`].
#[macro_export]
macro_rules! info {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($arg)*)) };
}

/// Writes a line at level `warn`, in the syntax of [`std::format!`].
#[macro_export]
macro_rules! warn {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($arg)*)) };
}

/// Writes a line at level `error`, in the syntax of [`std::format!`].
#[macro_export]
macro_rules! error {
    ($($arg:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($arg)*)) };
}
