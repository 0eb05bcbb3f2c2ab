//! Sentences about what an entry waits for.

use tollgate_core::entry::{EntryState, Hold, HoldKind, Link};

/// It was judged without what is known of it by now, or by another policy than the applied one.
pub(super) fn unjudged() -> Hold {
    let reason = "something became known of it, or another policy was applied, since it was judged; it is judged again first".to_owned();
    Hold { kind: HoldKind::Unjudged, subject: String::new(), reason, until: None }
}

/// The policy says neither where an entry waits nor why it does not.
pub(super) fn no_place() -> Hold {
    let reason = "the policy gives it no place in any pipeline".to_owned();
    Hold { kind: HoldKind::NoPipeline, subject: String::new(), reason, until: None }
}

pub(super) fn dependency(link: &Link, target: EntryState, closed: bool) -> String {
    let doing = match target {
        EntryState::New => "has not been judged yet",
        EntryState::Held => "is held",
        EntryState::Ready => "waits for its turn",
        EntryState::Busy => "is being worked on",
        EntryState::Done => "is done, and not closed in its tracker",
        _ if closed => "is closed in its tracker, and no run of it is done",
        EntryState::Failed => "failed",
        EntryState::Escalated => "was escalated",
        EntryState::Blocked => "is blocked",
        EntryState::Gone => "is gone from its tracker",
    };
    format!("waits for {}, which {doing}", named(link))
}

pub(super) fn unknown_dependency(link: &Link) -> String {
    let named = named(link);
    format!(
        "depends on {named}, and no entry of that key is known; correct the key, or declare an alias for it"
    )
}

pub(super) fn ambiguous_dependency(link: &Link, trackers: &[String]) -> String {
    let key = &link.to.key;
    let example = trackers.first().map(String::as_str).unwrap_or_default();
    format!(
        "depends on {key}, and several sources of the backlog have an entry of that key: {}; name the one that is meant, e.g. \
         `{example}#{key}`",
        trackers.join(", ")
    )
}

fn named(link: &Link) -> String {
    let key = &link.to.key;
    match &link.written {
        Some(written) if written != key => format!("{key} (written `{written}`)"),
        _ => key.clone(),
    }
}
