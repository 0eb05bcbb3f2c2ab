//! What keeps a backlog from what nobody looked at, asked when an entry is made.

use std::{cmp::Reverse, time::Duration};

use tollgate_core::{
    EntryId, Timestamp,
    entry::{EntrySnapshot, EntryState, Hold, HoldKind, Link, LinkKind},
    likeness::{LIKENESS_SOURCE, Words},
};

use super::state::{Entry, HeldBy, Life, State};
use crate::port::{Arrival, Rate};

/// Entries that one is compared with.
const COMPARED_MAX: usize = 8;

/// Something of which so many may come in.
struct Counted {
    name: String,
    /// As it stands in a sentence.
    words: String,
    rate: Rate,
}

impl State {
    /// Why an entry that is not known yet is held besides what the policy says. Where it `counts`, it takes its place among those
    /// that come in.
    pub(super) fn guard_holds(&mut self, arrival: &Arrival, counts: bool) -> Vec<Hold> {
        let refused = [HoldKind::NotEligible, HoldKind::Closed];
        let comes_in = !arrival.admission.holds.iter().any(|hold| refused.contains(&hold.kind));
        let by_rate = if counts && comes_in { self.take_turn(arrival) } else { None };
        let own = arrival.guard.own_output.as_ref().map(|reason| Hold {
            kind: HoldKind::OwnOutput,
            subject: String::new(),
            reason: format!("{reason}; what Tollgate wrote is not worked on again by itself"),
            until: None,
        });
        by_rate.into_iter().chain(own).collect()
    }

    /// Why one more entry is held that openings led to from `first`.
    pub(super) fn hold_of_origin(&self, arrival: &Arrival, first: EntryId) -> Option<Hold> {
        let limit = arrival.guard.per_origin?;
        let led_to = |entry: &Entry| {
            entry.opened.as_ref().and_then(|opened| opened.opener).is_some_and(|opener| opener.first == first)
        };
        let opened = self.entries.those(led_to).len();
        let key = &self.entries[first].name.key;
        (opened >= limit as usize).then(|| Hold {
            kind: HoldKind::Intake,
            subject: format!("origin:{key}"),
            reason: format!(
                "{key} and what came of it led to {opened} entries already, as many as `per_origin` under `intake` of the backlog \
                 lets in"
            ),
            until: None,
        })
    }

    /// Takes the first time at which there is room by every rate; the reason why the entry is held until then.
    fn take_turn(&mut self, arrival: &Arrival) -> Option<Hold> {
        let backlog = &arrival.backlog;
        let counted = counted(arrival);
        let (mut at, mut latest) = (self.now, None);
        for scope in &counted {
            let room = self.room_from(backlog, scope, at);
            if room > at {
                (at, latest) = (room, Some(scope));
            }
        }
        // What one has room for may be in the way of the other; behind all others nothing is.
        for scope in &counted {
            if latest.is_some() && self.room_from(backlog, scope, at) > at {
                at = counted.iter().map(|scope| self.behind_all(backlog, scope)).fold(at, Timestamp::max);
            }
        }
        self.intake.extend(counted.iter().map(|scope| (backlog.clone(), scope.name.clone(), at)));
        latest.map(|Counted { name, words, rate: Rate { count, window } }| Hold {
            kind: HoldKind::Intake,
            subject: name.clone(),
            reason: format!(
                "of {words}, {count} entries came in within {}, as many as `intake` of the backlog lets in",
                span(*window)
            ),
            until: Some(at),
        })
    }

    /// The first time from `from` on at which one more may come in: then, where nothing near is in the way, else behind all others.
    fn room_from(&self, backlog: &str, scope: &Counted, from: Timestamp) -> Timestamp {
        let Rate { count, window } = scope.rate;
        let near = self
            .let_in(backlog, scope)
            .into_iter()
            .filter(|at| *at < from.after(window) && at.after(window) > from);
        if near.count() < count as usize { from } else { self.behind_all(backlog, scope).max(from) }
    }

    /// The first time at which one more may come in behind all others.
    fn behind_all(&self, backlog: &str, scope: &Counted) -> Timestamp {
        let mut times = self.let_in(backlog, scope);
        times.sort_unstable_by_key(|at| Reverse(*at));
        let nth_newest = times.get(scope.rate.count.saturating_sub(1) as usize);
        nth_newest.map_or(self.now, |at| at.after(scope.rate.window))
    }

    fn let_in(&self, backlog: &str, scope: &Counted) -> Vec<Timestamp> {
        let of_scope = self.intake.iter().filter(|(of, name, _)| of == backlog && *name == scope.name);
        of_scope.map(|(.., at)| *at).collect()
    }

    /// The earlier entry of the backlog that an arrival says nearly the same as, and how nearly, in thousandths.
    pub(super) fn duplicate(&self, arrival: &Arrival) -> Option<(EntryId, u32)> {
        let limit = arrival.guard.duplicate_thousandths?;
        let words = words(&arrival.snapshot);
        let sketch = words.sketch()?;
        let near = self.entries.iter().filter_map(|(id, entry)| {
            let (backlog, numbers) = entry.sketch.as_ref()?;
            let shared = numbers.iter().filter(|number| sketch.contains(number)).count();
            (*backlog == arrival.backlog && shared > 0).then_some((Reverse(shared), id))
        });
        let mut near: Vec<_> = near.collect();
        near.sort_unstable();
        near.truncate(COMPARED_MAX);
        let gone = Life::Stands(EntryState::Gone);
        let there = near.into_iter().filter(|(_, id)| self.entries[*id].life != gone);
        let like = there.filter_map(|(_, id)| {
            let other = self.snapshots.get(&self.entries[id].revision)?;
            Some((id, words.likeness_of_at_least(&self::words(other), limit)?))
        });
        // Of several that are as like, the first that was found.
        like.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }

    /// Holds a duplicate, and has any other found by those that come later.
    pub(super) fn note_likeness(
        &mut self,
        id: EntryId,
        arrival: &Arrival,
        duplicate: Option<(EntryId, u32)>,
    ) {
        match duplicate {
            Some((other, thousandths)) => {
                let of = self.entries[other].name.clone();
                let reason = format!(
                    "it says nearly what {} says: {} % of their words are the same",
                    of.key,
                    thousandths / 10
                );
                let hold = Hold { kind: HoldKind::Duplicate, subject: of.key.clone(), reason, until: None };
                self.hold(id, HeldBy::Guard, hold);
                let (kind, source) = (LinkKind::DuplicateOf, LIKENESS_SOURCE.to_owned());
                self.entries[id].likeness = Some(Link { kind, to: of, written: None, source });
            }
            None if arrival.guard.duplicate_thousandths.is_some() => {
                let sketch = words(&arrival.snapshot).sketch();
                let numbers = sketch.into_iter().flatten().collect();
                self.entries[id].sketch = Some((arrival.backlog.clone(), numbers));
            }
            None => {}
        }
    }
}

fn words(snapshot: &EntrySnapshot) -> Words {
    Words::of(&snapshot.title, &snapshot.body)
}

/// The author first, whose flood is to be in nobody else's way.
fn counted(arrival: &Arrival) -> Vec<Counted> {
    let author = arrival.snapshot.author.as_deref().zip(arrival.guard.per_author);
    let author = author.map(|(author, rate)| Counted {
        name: format!("author:{author}"),
        words: format!("the author {author}"),
        rate,
    });
    let tracker = &arrival.snapshot.name.tracker;
    let source = arrival.guard.per_source.map(|rate| Counted {
        name: format!("source:{tracker}"),
        words: format!("the source {tracker}"),
        rate,
    });
    author.into_iter().chain(source).collect()
}

/// A span in the words of configuration files.
fn span(window: Duration) -> String {
    let seconds = window.as_secs();
    match (seconds % 3_600, seconds % 60) {
        (0, _) if seconds > 0 => format!("{}h", seconds / 3_600),
        (_, 0) if seconds > 0 => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}
