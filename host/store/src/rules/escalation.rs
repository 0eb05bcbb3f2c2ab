//! What waits for a person.

use tollgate_core::{
    Microcents,
    course::{End, Stopped},
    escalation::EscalationKind,
    pipeline::StepName,
    record::Record,
    run::RunSummary,
    step::{Finding, Step, StepOutcome},
};

use super::{
    report::{Paged, list_or_all},
    rows, sql,
    tx::{Failure, Row, Tx, TxResult, json_of, named_params},
};
use crate::port::{Escalation, EscalationFilter, Page};

/// What waits for a person, the longest first.
pub(super) fn list(tx: &Tx<'_>, filter: &EscalationFilter) -> TxResult<Page<Escalation>> {
    let queries = Paged { count: sql::ESCALATION_COUNT, list: sql::ESCALATION_LIST };
    let (kinds, not_roles) = (list_or_all(&filter.kinds)?, json_of(&filter.not_roles)?);
    let matching = named_params! { ":kinds": kinds, ":role": filter.role, ":not_roles": not_roles };
    let mut page = queries.page(tx, matching, filter.limit, filter.offset, |row| read(tx, row))?;
    for escalation in &mut page.rows {
        escalation.entry.holds = rows::holds(tx, &escalation.entry)?;
    }
    Ok(page)
}

fn read(tx: &Tx<'_>, row: &Row<'_>) -> TxResult<Escalation> {
    let kind: EscalationKind = row.word("waits_for")?;
    let run = match row.plain::<Option<String>>("run_id")? {
        Some(id) => Some(read_run(tx, &id)?),
        None => None,
    };
    let (stopped, findings) = match (&run, kind) {
        (Some((seq, _)), EscalationKind::Escalated) => why_escalated(tx, *seq)?,
        (Some((seq, run)), EscalationKind::Evidence) => {
            let of_gate = match &run.ask {
                Some(ask) => findings_of(tx, *seq, &ask.step.name)?,
                None => Vec::new(),
            };
            (None, of_gate)
        }
        _ => (None, Vec::new()),
    };
    Ok(Escalation {
        kind,
        since: row.time("since_at")?,
        role: row.plain("role")?,
        more: row.plain::<Option<i64>>("more")?.and_then(|more| u64::try_from(more).ok()).map(Microcents),
        entry: rows::read_entry_status(row)?,
        run: run.map(|(_, run)| run),
        stopped,
        findings,
    })
}

fn read_run(tx: &Tx<'_>, id: &str) -> TxResult<(i64, RunSummary)> {
    let found = tx.one(sql::RUN_LINE_GET, named_params! { ":id": id }, |row| {
        Ok((row.plain("seq")?, rows::read_run_summary(row, tx.now)?))
    })?;
    found.ok_or_else(|| Failure::damaged(format!("run {id} has no line")))
}

/// Where a run stopped and why, as its record tells: of one that was rebuilt there is nothing else.
fn why_escalated(tx: &Tx<'_>, run: i64) -> TxResult<(Option<Stopped>, Vec<Finding>)> {
    let record = tx.one(sql::OUTBOX_GET_RECORD, named_params! { ":run": run }, |row| row.json("body"))?;
    let Some(Record { end: End::Escalated { stopped, .. }, steps, .. }) = record else {
        return Ok((None, Vec::new()));
    };
    let last = steps.into_iter().rfind(|step| Some(&step.key.name) == stopped.at.as_ref());
    Ok((Some(stopped), last.map(|step| step.findings).unwrap_or_default()))
}

/// What a gate of a live run found last.
fn findings_of(tx: &Tx<'_>, run: i64, gate: &StepName) -> TxResult<Vec<Finding>> {
    let steps: Vec<Step> = tx.all(sql::STEP_LIST, named_params! { ":run": run }, |row| row.json("body"))?;
    let last = steps.into_iter().rfind(|step| step.key.name == *gate);
    Ok(match last.map(|step| step.outcome) {
        Some(StepOutcome::Judged(verdict)) => verdict.findings,
        _ => Vec::new(),
    })
}
