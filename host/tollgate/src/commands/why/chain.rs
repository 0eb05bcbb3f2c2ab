//! Follows dependencies to what keeps them.

use tollgate_core::{
    entry::{EntryState, LinkKind},
    run::RunState,
    step::StepOutcome,
};
use tollgate_store::{
    Store, StoreError,
    port::{EntryDetail, RunDetail},
};

use crate::{
    error::Result,
    ui::explain::{Awaited, AwaitedState, DEPTH_MAX, ENTRIES_MAX, ways_to_answer},
};

/// A dependency that is to be looked at, and the keys on the way to it.
struct Open {
    key: String,
    tracker: String,
    source: String,
    path: Vec<String>,
}

/// What an entry waits for through others, each below the one that waits for it.
///
/// # Errors
///
/// When the store fails.
pub(super) async fn follow(
    store: &dyn Store,
    detail: &EntryDetail,
    newest: Option<&RunDetail>,
) -> Result<Vec<Awaited>> {
    let mut chain = Vec::new();
    let path = vec![detail.status.name.key.clone()];
    // A stack, the next one last: what an entry waits for stands right below it.
    let mut open = dependencies(detail, &path);
    open.extend(newest.into_iter().flat_map(|run| children(run, &path)));
    while let Some(Open { key, tracker, source, path }) = open.pop() {
        let depth = path.len() - 1;
        if let Some(begin) = path.iter().position(|known| *known == key) {
            let circle = path[begin..].iter().cloned().chain([key]).collect();
            chain.push(Awaited { depth, what: AwaitedState::Circle(circle) });
            continue;
        }
        if depth >= DEPTH_MAX || chain.len() >= ENTRIES_MAX {
            chain.push(Awaited { depth, what: AwaitedState::More { key } });
            if chain.len() > ENTRIES_MAX {
                break;
            }
            continue;
        }
        // That nobody knows it is what the hold says.
        let Some(next) = find(store, &key, &tracker).await? else { continue };
        chain.push(Awaited { depth, what: known(&next, source) });
        let path: Vec<_> = path.into_iter().chain([key]).collect();
        match next.status.state {
            EntryState::Held => open.extend(dependencies(&next, &path)),
            EntryState::Busy => {
                if let Some(run) = next.runs.first().filter(|run| run.state == RunState::Waiting) {
                    open.extend(children(&store.run(run.id).await?, &path));
                }
            }
            _ => {}
        }
    }
    Ok(chain)
}

async fn find(store: &dyn Store, key: &str, tracker: &str) -> Result<Option<EntryDetail>> {
    match store.entry(key, Some(tracker)).await {
        Ok(detail) => Ok(Some(detail)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// What an entry waits for, the first last.
fn dependencies(detail: &EntryDetail, path: &[String]) -> Vec<Open> {
    let waits = matches!(detail.status.state, EntryState::New | EntryState::Held | EntryState::Ready);
    let links = detail.links.iter().filter(|link| {
        waits && link.link.kind == LinkKind::DependsOn && !link.satisfied && link.target.is_some()
    });
    let mut open: Vec<_> = links
        .map(|link| Open {
            key: link.link.to.key.clone(),
            tracker: link.link.to.tracker.clone(),
            source: link.link.source.clone(),
            path: path.to_vec(),
        })
        .collect();
    open.reverse();
    open
}

/// The entries that a run opened and waits for, the first last.
fn children(run: &RunDetail, path: &[String]) -> Vec<Open> {
    let waits = match run.steps.last().map(|step| &step.outcome) {
        Some(StepOutcome::Waits(wait)) => run.summary.state == RunState::Waiting && wait.children().is_some(),
        _ => false,
    };
    let awaited = run.children.iter().rev().filter(|child| waits && !child.state.is_over());
    awaited
        .map(|child| Open {
            key: child.name.key.clone(),
            tracker: child.name.tracker.clone(),
            source: "its run opened it".to_owned(),
            path: path.to_vec(),
        })
        .collect()
}

fn known(detail: &EntryDetail, source: String) -> AwaitedState {
    let live = detail.runs.first().filter(|run| run.state == RunState::Waiting);
    AwaitedState::Known {
        key: detail.status.name.key.clone(),
        source,
        state: detail.status.state,
        holds: detail.status.holds.clone(),
        waits: live.and_then(|run| run.reason.clone()),
        answer: live.and_then(|run| run.ask.as_ref()).map(|ask| ways_to_answer(&detail.status.name.key, ask)),
        ahead: detail.standing.as_ref().map(|standing| standing.ahead),
    }
}
