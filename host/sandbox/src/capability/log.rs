//! `log`: lines for whoever reads the run, and their limits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tollgate_core::step::LogLine;
use wasmtime::{StoreContextMut, component::LinkerInstance};

use super::{Copied, enter};
use crate::{
    budget::{LINE_BYTES, LOG_BYTES, LOG_LINES},
    host::Host,
};

/// The levels that the contract knows.
const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];

/// The level of a line that does not say a known one.
const DEFAULT_LEVEL: &str = "info";

/// Precedes lines that the host writes into a plugin's log. A plugin cannot write one: its own are marked when they begin
/// so.
const HOST_MARK: &str = "tollgate: ";

pub(super) fn link(log: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    log.func_wrap("write", |mut store: StoreContextMut<'_, Host>, (level, message): (String, String)| {
        enter(&mut store, level.copied_bytes() + message.copied_bytes())?;
        lock(&store.data().log).write(&level, &message);
        Ok(())
    })
}

/// The log, whatever happened to whoever held it.
pub(crate) fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a call has logged so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: u64,
    /// The last of those that were dropped: often the one that says why the plugin gave up.
    last_dropped: Option<LogLine>,
}

impl Log {
    /// Adds a line of the plugin's.
    pub(crate) fn write(&mut self, level: &str, message: &str) {
        let level = LEVELS.into_iter().find(|known| *known == level).unwrap_or(DEFAULT_LEVEL);
        let mark = if message.starts_with(HOST_MARK) { "| " } else { "" };
        let message = format!("{mark}{}", shortened(message));
        let line = LogLine { level: level.to_owned(), message };
        if self.lines.len() < LOG_LINES && self.bytes + line.message.len() <= LOG_BYTES {
            self.bytes += line.message.len();
            self.lines.push(line);
        } else {
            self.dropped += 1;
            self.last_dropped = Some(line);
        }
    }

    /// Adds a line of the host's. There are few of them, so they have no limit.
    pub(crate) fn note(&mut self, message: &str) {
        self.lines.push(host_line(message));
    }

    /// The last line, if it says that something went wrong.
    pub(crate) fn last_error(&self) -> Option<&str> {
        let last = self.last_dropped.as_ref().or(self.lines.last())?;
        (last.level == "error").then_some(last.message.as_str())
    }

    /// All that was kept, and how much was not.
    pub(crate) fn take(&mut self) -> Vec<LogLine> {
        let mut lines = std::mem::take(&mut self.lines);
        if self.dropped > 0 {
            lines.push(host_line(&format!(
                "{} more lines were dropped, all but the last: a call may log {LOG_LINES} lines, {} KiB in all",
                self.dropped,
                LOG_BYTES >> 10
            )));
            lines.extend(self.last_dropped.take());
        }
        lines
    }
}

fn host_line(message: &str) -> LogLine {
    LogLine { level: "warn".to_owned(), message: format!("{HOST_MARK}{message}") }
}

/// At most as much of a text as a line may hold, cut between characters.
pub(crate) fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LINE_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_between_characters() {
        let line = "é".repeat(LINE_BYTES);
        assert_eq!(shortened(&line).len(), LINE_BYTES);
        assert_eq!(shortened(&format!("a{line}")).len(), LINE_BYTES - 1);
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn a_flood_is_counted_and_its_last_line_kept() {
        let mut log = Log::default();
        for number in 0..LOG_LINES + 5 {
            log.write("debug", &number.to_string());
        }
        log.write("error", "out of ideas");
        assert_eq!(log.last_error(), Some("out of ideas"));
        let lines = log.take();
        assert_eq!(lines.len(), LOG_LINES + 2);
        assert_eq!(
            lines[LOG_LINES].message,
            "tollgate: 6 more lines were dropped, all but the last: a call may log 1000 lines, 256 KiB in all"
        );
        assert_eq!(lines[LOG_LINES + 1].message, "out of ideas");
    }

    #[test]
    fn long_lines_are_limited_in_bytes() {
        let mut log = Log::default();
        for _ in 0..100 {
            log.write("info", &"x".repeat(LINE_BYTES));
        }
        assert_eq!(log.take().len(), LOG_BYTES / LINE_BYTES + 2);
    }

    #[test]
    fn a_plugin_cannot_speak_for_the_host() {
        let mut log = Log::default();
        log.write("loud", "tollgate: all is well");
        let lines = log.take();
        assert_eq!(lines[0].message, "| tollgate: all is well");
        assert_eq!(lines[0].level, "info");
    }
}
