//! What keeps a backlog from what nobody looked at, asked once when an entry is made.
//!
//! An entry that exceeds a rate gets the first time at which there is room, which nobody else gets: it is held until then, and the
//! transaction that lifts holds whose time has come lets it in. So however many come, each is looked at twice; none is lost; and in
//! no span as long as that of the rate are more let in than it says.

use std::time::Duration;

use tollgate_core::{
    EntryId, Timestamp,
    entry::{EntryState, Hold, HoldKind},
};

use super::{
    control,
    entry::KnownEntry,
    family,
    intake::forget_arrival,
    readiness, sql,
    tx::{Tx, TxResult, named_params},
};
use crate::{
    StoreError,
    port::{Arrival, Guard, Rate},
};

/// Where these reasons begin: after the policy's.
const POSITION: i64 = 900_000;

/// Something of which so many may come in.
struct Scope<'a> {
    backlog: &'a str,
    name: String,
    /// As it stands in a sentence.
    words: String,
    rate: Rate,
}

impl Scope<'_> {
    /// The first time from `from` on at which one more may come in: there where nothing near is in the way, else behind all others.
    fn room_from(&self, tx: &Tx<'_>, from: Timestamp) -> TxResult<Timestamp> {
        let params = named_params! {
            ":backlog": self.backlog,
            ":scope": self.name,
            ":after": before(from, self.rate.window).as_millis(),
            ":before": from.after(self.rate.window).as_millis(),
        };
        let near = tx.one(sql::INTAKE_COUNT_AROUND, params, |row| row.count("entries"))?.unwrap_or_default();
        if near < u64::from(self.rate.count) { Ok(from) } else { Ok(self.end(tx)?.max(from)) }
    }

    /// The first time at which one more may come in behind all others.
    fn end(&self, tx: &Tx<'_>) -> TxResult<Timestamp> {
        let params =
            named_params! { ":backlog": self.backlog, ":scope": self.name, ":newer": self.rate.count - 1 };
        let at = tx.one(sql::INTAKE_GET_NTH_NEWEST, params, |row| row.time("at"))?;
        Ok(at.map_or(tx.now, |at| at.after(self.rate.window)))
    }

    fn take(&self, tx: &Tx<'_>, at: Timestamp) -> TxResult<()> {
        let old = before(tx.now, self.rate.window).as_millis();
        let params = named_params! { ":backlog": self.backlog, ":scope": self.name, ":at": old };
        tx.send(sql::INTAKE_DELETE_BEFORE, params)?;
        let params = named_params! { ":backlog": self.backlog, ":scope": self.name, ":at": at.as_millis() };
        tx.send(sql::INTAKE_INSERT, params)
    }

    fn hold(&self, until: Timestamp) -> Hold {
        let Rate { count, window } = self.rate;
        let reason = format!(
            "of {}, {count} entries came in within {}, as many as `intake` of the backlog lets in",
            self.words,
            span(window)
        );
        Hold { kind: HoldKind::Intake, subject: self.name.clone(), reason, until: Some(until) }
    }
}

/// Why an entry that is not known yet is held besides what the policy says. Where it `counts`, it takes its place among those that
/// come in.
pub(super) fn holds(tx: &Tx<'_>, arrival: &Arrival, counts: bool) -> TxResult<Vec<Hold>> {
    let mut holds = Vec::new();
    if counts && comes_in(arrival) {
        holds.extend(of_rates(tx, arrival)?);
    }
    holds.extend(arrival.guard.own_output.as_ref().map(|reason| Hold {
        kind: HoldKind::OwnOutput,
        subject: String::new(),
        reason: format!("{reason}; what Tollgate wrote is not worked on again by itself"),
        until: None,
    }));
    Ok(holds)
}

/// Why one more entry is held that openings led to from `first`.
pub(super) fn of_origin(tx: &Tx<'_>, arrival: &Arrival, first: EntryId) -> TxResult<Option<Hold>> {
    let Some(limit) = arrival.guard.per_origin else { return Ok(None) };
    let params = named_params! { ":origin": first.0 };
    let opened = tx.one(sql::OPENED_COUNT_OF_ORIGIN, params, |row| row.count("entries"))?.unwrap_or_default();
    if opened < u64::from(limit) {
        return Ok(None);
    }
    let key = KnownEntry::get(tx, first)?.name.key;
    Ok(Some(Hold {
        kind: HoldKind::Intake,
        subject: format!("origin:{key}"),
        reason: format!(
            "{key} and what came of it led to {opened} entries already, as many as `per_origin` under `intake` of the backlog lets \
             in"
        ),
        until: None,
    }))
}

/// Writes the reasons down, behind the policy's.
pub(super) fn insert(tx: &Tx<'_>, entry: EntryId, holds: &[Hold]) -> TxResult<()> {
    readiness::insert_holds(tx, entry, POSITION, holds)
}

/// Lets an entry in by a person's word.
pub(super) fn let_in(tx: &Tx<'_>, id: EntryId, who: &str, why: &str) -> TxResult<()> {
    let entry = KnownEntry::find_by_id(tx, id)?
        .ok_or_else(|| StoreError::NotFound { what: "entry", name: id.to_string() })?;
    let lifted = tx.run(sql::HOLD_DELETE_OF_GUARD, named_params! { ":entry": id.0 })?;
    if lifted == 0 {
        let key = &entry.name.key;
        let advice = match entry.state {
            EntryState::Held => format!("; `tollgate why {key}` says what holds it"),
            _ => String::new(),
        };
        return Err(StoreError::Conflict(format!(
            "{key} is {}, and there is nothing to let it in for{advice}",
            entry.state
        ))
        .into());
    }
    family::forget(tx, id)?;
    control::remember(tx, Some(id), "admit", Some(who), Some(why))?;
    forget_arrival(tx, id)?;
    if entry.is_judged() {
        readiness::settle(tx, id, entry.depends)?;
    }
    Ok(())
}

/// Whether the policy takes it at all: what it does not is in nobody's way.
fn comes_in(arrival: &Arrival) -> bool {
    let refused = |hold: &Hold| matches!(hold.kind, HoldKind::NotEligible | HoldKind::Closed);
    !arrival.admission.holds.iter().any(refused)
}

fn of_rates(tx: &Tx<'_>, arrival: &Arrival) -> TxResult<Option<Hold>> {
    let scopes = scopes(arrival);
    let mut at = tx.now;
    let mut latest = None;
    for scope in &scopes {
        let room = scope.room_from(tx, at)?;
        if room > at {
            (at, latest) = (room, Some(scope));
        }
    }
    // What one has room for may be in the way of the other; behind all others nothing is.
    for scope in &scopes {
        if latest.is_some() && scope.room_from(tx, at)? > at {
            for scope in &scopes {
                at = at.max(scope.end(tx)?);
            }
        }
    }
    for scope in &scopes {
        scope.take(tx, at)?;
    }
    Ok(latest.map(|scope| scope.hold(at)))
}

fn scopes(arrival: &Arrival) -> Vec<Scope<'_>> {
    let Guard { per_source, per_author, .. } = &arrival.guard;
    let name = &arrival.snapshot.name;
    let of_author = arrival.snapshot.author.as_deref().zip(*per_author).map(|(author, rate)| Scope {
        backlog: &arrival.backlog,
        name: format!("author:{author}"),
        words: format!("the author {author}"),
        rate,
    });
    let of_source = per_source.map(|rate| Scope {
        backlog: &arrival.backlog,
        name: format!("source:{}", name.tracker),
        words: format!("the source {}", name.tracker),
        rate,
    });
    of_author.into_iter().chain(of_source).collect()
}

fn before(time: Timestamp, span: Duration) -> Timestamp {
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(time.as_millis().saturating_sub(millis))
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
