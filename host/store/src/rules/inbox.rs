//! What people want of a run. Anybody may send it; only the transaction that holds the run applies it.

use serde_json::json;
use tollgate_core::{
    RunId,
    approval::{Allowance, Ask, Decision, Lack, Word},
    event::{EventKind, NewEvent},
    step::StepKey,
};

use super::{
    cancel, control, family,
    live_run::LiveRun,
    sql,
    tx::{Tx, TxResult, from_json, json_of, named_params},
    wait,
};
use crate::{StoreError, port::NewDecision};

/// Sends an answer to what a run asks, and ends its wait.
pub(super) fn decide(tx: &Tx<'_>, id: RunId, new: &NewDecision) -> TxResult<Decision> {
    let run = LiveRun::to_change(tx, id)?;
    let asked: Option<Ask> =
        tx.one(sql::ASK_GET, named_params! { ":run": run.seq }, |row| row.json("body"))?;
    let Some(asked) = asked else {
        if let Some(asked) = for_children(tx, &run, &new.word)? {
            return allow(tx, run, new, asked);
        }
        let text =
            format!("run {id} is {} and asks nothing; only a run that asks can be answered", run.state);
        return Err(StoreError::Conflict(text).into());
    };
    if let Some(objection) = asked.objection(&new.word) {
        return Err(StoreError::Conflict(objection).into());
    }
    let decision = send(tx, &run, new, asked)?;
    wait::answered(tx, run.seq)?;
    LiveRun::wake(tx, run.seq, "a person answered")?;
    family::raise(tx, run.seq, &decision)?;
    Ok(decision)
}

fn send(tx: &Tx<'_>, run: &LiveRun, new: &NewDecision, asked: Ask) -> TxResult<Decision> {
    let NewDecision { who, why, word } = new.clone();
    let decision = Decision { who, why, at: tx.now, asked, word };
    let params = named_params! {
        ":run": run.seq,
        ":now": tx.now.as_millis(),
        ":who": decision.who,
        ":kind": "decision",
        ":body": json_of(&decision)?,
    };
    tx.send(sql::INBOX_INSERT, params)?;
    let kind = match decision.word {
        Word::Approved { .. } => "approve",
        Word::Rejected => "reject",
    };
    control::remember(tx, Some(run.entry), kind, Some(&decision.who), Some(&decision.why))?;
    Ok(decision)
}

/// What money is for that a person gives a run which waits for what it opened, and asks nothing itself.
fn for_children(tx: &Tx<'_>, run: &LiveRun, word: &Word) -> TxResult<Option<Ask>> {
    let Word::Approved { added } = word else { return Ok(None) };
    if *added != (Allowance { cost: added.cost, ..Allowance::default() }) || added.is_nothing() {
        return Ok(None);
    }
    let Some(step) = wait::for_children(tx, run.seq)? else { return Ok(None) };
    Ok(Some(Ask {
        step: StepKey { attempt: step.attempt + 1, ..step },
        lack: Lack::RunCost,
        role: None,
        reason: "it waits for what it opened, which its budget pays for".to_owned(),
        suggested: *added,
    }))
}

/// Gives a run money and lets it wait on. Nobody holds it, so the word is applied at once.
fn allow(tx: &Tx<'_>, mut run: LiveRun, new: &NewDecision, asked: Ask) -> TxResult<Decision> {
    let decision = send(tx, &run, new, asked)?;
    apply(tx, &mut run)?;
    run.save(tx)?;
    family::raise(tx, run.seq, &decision)?;
    Ok(decision)
}

/// Applies what was sent. The caller saves the run.
pub(super) fn apply(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
    let items = tx.all(sql::INBOX_LIST_OPEN, named_params! { ":run": run.seq }, |row| {
        Ok((row.plain::<i64>("id")?, row.plain::<String>("kind")?, row.plain::<String>("body")?))
    })?;
    for (id, kind, body) in items {
        tx.send(sql::INBOX_APPLY, named_params! { ":id": id, ":now": tx.now.as_millis() })?;
        if kind == "cancel" {
            cancel::apply(tx, run, &from_json(&body)?)?;
            continue;
        }
        let Decision { who, why, asked, word, .. } = from_json(&body)?;
        let event = match word {
            Word::Approved { added } => NewEvent {
                kind: EventKind::Approved,
                body: json!({ "who": who, "why": why, "asked": asked, "added": added }),
            },
            Word::Rejected => NewEvent {
                kind: EventKind::Rejected,
                body: json!({ "who": who, "why": why, "asked": asked }),
            },
        };
        run.append(tx, event)?;
    }
    Ok(())
}
