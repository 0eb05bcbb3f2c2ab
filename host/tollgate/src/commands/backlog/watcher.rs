//! Tells what goes wrong while a command reads sources and delivers records.

use tollgate_core::effect::Delivered;
use tollgate_engine::observer::{Notice, Observer};

use crate::ui::printer::{Printer, Tone};

/// Tells what cannot be read or delivered.
pub(super) struct Watcher(pub(super) Printer);

impl Observer for Watcher {
    fn notice(&self, notice: &Notice) {
        let (word, text) = match notice {
            Notice::Pulled { skipped, .. } => {
                for (path, reason) in skipped {
                    self.0.event(Tone::Notable, "skipped", format!("{path}: {reason}"));
                }
                return;
            }
            Notice::PullFailed { backlog, tracker, reason } => {
                ("unread", format!("{tracker} for {backlog}: {reason}"))
            }
            Notice::DeliveryDelayed { key, what, reason, .. } => {
                ("delayed", format!("{what} of {key}: {reason}"))
            }
            Notice::Delivered { key, what, became: Delivered::Refused { reason } } => {
                ("refused", format!("{what} of {key}: {reason}"))
            }
            _ => return,
        };
        self.0.event(Tone::Bad, word, text);
    }
}
