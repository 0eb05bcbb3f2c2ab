//! What an entry waits for through others: those that it depends on, what keeps those, and so on.

use tollgate_core::entry::{EntryState, Hold, HoldKind};

use super::{super::text::time, advice, sentence};

/// How many entries deep a chain is followed.
pub(crate) const DEPTH_MAX: usize = 8;
/// How many entries are told of in all.
pub(crate) const ENTRIES_MAX: usize = 24;

/// One entry that another waits for.
#[derive(Debug, Clone)]
pub(crate) struct Awaited {
    /// 0 for what the entry itself depends on.
    pub(crate) depth: usize,
    /// What is so.
    pub(crate) what: AwaitedState,
}

/// Why an entry that another waits for is not done.
#[derive(Debug, Clone)]
pub(crate) enum AwaitedState {
    /// It is there.
    Known {
        /// Its key.
        key: String,
        /// Who says that it is waited for.
        source: String,
        /// Its life.
        state: EntryState,
        /// Why it may not run.
        holds: Vec<Hold>,
        /// What its live run waits for.
        waits: Option<String>,
        /// How a person answers that run.
        answer: Option<String>,
        /// How many come before it in its lane.
        ahead: Option<u64>,
    },
    /// It waits for one of those that wait for it: their keys, the first again at the end.
    Circle(Vec<String>),
    /// There is more, and it is not told.
    More {
        /// The entry that begins it.
        key: String,
    },
}

/// Sentences on a chain, indented as deep as they stand in it.
pub(super) fn sentences(chain: &[Awaited]) -> Vec<String> {
    chain.iter().map(|awaited| format!("{}- {}", "  ".repeat(awaited.depth), of(&awaited.what))).collect()
}

/// Whether the chain tells of what an entry depends on.
pub(super) fn tells_of(chain: &[Awaited], dependency: &str) -> bool {
    chain.iter().any(|awaited| match &awaited.what {
        AwaitedState::Known { key, .. } => awaited.depth == 0 && key == dependency,
        AwaitedState::Circle(keys) => awaited.depth == 0 && keys.last().is_some_and(|key| key == dependency),
        AwaitedState::More { .. } => false,
    })
}

fn of(what: &AwaitedState) -> String {
    match what {
        AwaitedState::Known { key, source, state, holds, waits, answer, ahead } => {
            let stands = standing(key, *state, holds, waits.as_deref(), *ahead);
            let answer = answer.as_ref().map(|answer| format!(" {answer}")).unwrap_or_default();
            format!("Waits for {key} ({source}), which {stands}{answer}")
        }
        AwaitedState::Circle(keys) => match keys.as_slice() {
            [only, _] => format!("Waits for {only}, which is itself: take the dependency out."),
            keys => format!(
                "Waits in a circle: {}. None of them can ever run; take one of the dependencies out.",
                keys.join(" → ")
            ),
        },
        AwaitedState::More { key } => {
            format!("Waits for {key}, and so on: `tollgate why {key}` goes on from there.")
        }
    }
}

/// Fits after “which”.
fn standing(key: &str, state: EntryState, holds: &[Hold], waits: Option<&str>, ahead: Option<u64>) -> String {
    match state {
        EntryState::Held => held(key, holds),
        EntryState::Ready => match ahead {
            Some(0) => "is the next one of its lane.".to_owned(),
            Some(ahead) => format!("waits for its turn as number {} of its lane.", ahead + 1),
            None => "waits for its turn.".to_owned(),
        },
        EntryState::Busy => match waits {
            Some(waits) => format!("is begun, and its run waits: {}", sentence(waits)),
            None => "is being worked on.".to_owned(),
        },
        EntryState::Failed => format!("failed; `tollgate runs retry {key} --reason …` makes it run again."),
        EntryState::Escalated => {
            format!("was given to a person; `tollgate runs retry {key} --reason …` makes it run again.")
        }
        EntryState::Done => {
            "is done, and not closed in its tracker, which this backlog asks for: close it there.".to_owned()
        }
        EntryState::New => "waits to be judged; a host that runs (`tollgate run`) does it.".to_owned(),
        EntryState::Blocked => "is blocked: a person said that it cannot go on.".to_owned(),
        EntryState::Gone => "is gone from its tracker: put it back, or take the dependency out.".to_owned(),
    }
}

fn held(key: &str, holds: &[Hold]) -> String {
    // What it depends on itself is told below it.
    let own: Vec<_> = holds.iter().filter(|hold| hold.kind != HoldKind::Dependency).collect();
    let Some(first) = own.first() else { return "waits as well:".to_owned() };
    let lifts = match first.until {
        Some(until) => format!(" It lifts by itself at {}.", time(until)),
        None => advice(first.kind, key).map(|advice| format!(" {advice}")).unwrap_or_default(),
    };
    let more = match own.len() {
        1 => String::new(),
        all => format!(" `tollgate why {key}` tells of {} more.", all - 1),
    };
    format!("is held: {}{lifts}{more}", sentence(&first.reason))
}
