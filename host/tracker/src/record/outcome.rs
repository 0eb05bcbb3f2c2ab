//! What became of the work.

use tollgate_core::{
    course::{End, Stopped},
    record::Record,
};

use super::{escape, units};

const SENTENCE_CHARS_MAX: usize = 1_500;

/// The headline: in one word, and of what.
pub(super) fn headline(record: &Record) -> String {
    let word = match &record.end {
        End::Done => "Done",
        End::Failed(_) => "Failed",
        End::Escalated { .. } => "Escalated",
        End::Cancelled { .. } => "Cancelled",
    };
    format!("## {word}: {}\n\n", escape::text(&record.entry.title, 300))
}

/// What it took.
pub(super) fn effort(record: &Record) -> String {
    let count = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    };
    let tokens = match record.total.input_tokens.saturating_add(record.total.output_tokens) {
        0 => String::new(),
        tokens => format!(", {} tokens", units::large(tokens)),
    };
    format!(
        "{} in pipeline {}: {} and {} in {}, {}, {} of fuel{tokens}. Ended {}.\n\n",
        escape::code(&record.entry.name.key),
        escape::code(&record.pins.pipeline),
        count(record.steps.len(), "step", "steps"),
        count(record.reworks.len(), "rework", "reworks"),
        units::duration(record.ended_at.since(record.started_at)),
        record.total.cost,
        units::large(record.total.fuel),
        record.ended_at,
    )
}

/// Why it stopped and what to do next; nothing when it is done.
pub(super) fn stop(record: &Record) -> String {
    match &record.end {
        End::Done => String::new(),
        End::Failed(stopped) => format!("{}{}", why(stopped), recovery(stopped)),
        End::Escalated { to, stopped } => {
            format!("{}**Asked:** {}\n\n{}", why(stopped), escape::code(to), recovery(stopped))
        }
        End::Cancelled { reason } => format!("**Why:** {}\n\n", escape::text(reason, SENTENCE_CHARS_MAX)),
    }
}

/// That the item says something else by now; nothing when it does not.
pub(super) fn changed_since(record: &Record) -> &'static str {
    if record.entry.changed_since {
        "The item was edited while this run was under way; what is said here is about its earlier text.\n\n"
    } else {
        ""
    }
}

fn why(stopped: &Stopped) -> String {
    let reason = escape::text(&stopped.reason, SENTENCE_CHARS_MAX);
    match &stopped.at {
        Some(at) => format!("**Stopped at {}:** {reason}\n\n", escape::code(&at.to_string())),
        None => format!("**Stopped:** {reason}\n\n"),
    }
}

fn recovery(stopped: &Stopped) -> String {
    format!("**What to do:** {}\n\n", escape::text(&stopped.recovery, SENTENCE_CHARS_MAX))
}
