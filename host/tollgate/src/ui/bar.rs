//! How far something has come that goes through a whole backlog.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tollgate_store::Store;

use super::printer::Printer;
use crate::error::Result;

/// What is over before that needs no bar.
const SHOWN_AFTER: u64 = 20_000;

/// A bar at the foot of a terminal; nothing elsewhere.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Over all entries of a store.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub(crate) async fn over(printer: &Printer, what: &'static str, store: &dyn Store) -> Result<Self> {
        let entries = store.coverage().await?.iter().flat_map(|backlog| backlog.states.values()).sum();
        Ok(Self::new(printer, what, entries))
    }

    fn new(printer: &Printer, what: &'static str, entries: u64) -> Self {
        if entries < SHOWN_AFTER || printer.foot().is_hidden() {
            return Self(ProgressBar::hidden());
        }
        let bar = printer.foot().add(ProgressBar::new(entries));
        let style = ProgressStyle::with_template("{wide_bar:.cyan} {human_pos} of {human_len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// So many more are done.
    pub(crate) fn advance(&self, more: u64) {
        self.0.inc(more);
    }

    /// Takes it away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
