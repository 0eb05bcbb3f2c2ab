//! Where a pipeline branches: conditions that can be read, stages that can run, and work that is sent back to where it is done.

use tollgate_core::pipeline::{Approval, On};

use crate::{
    condition::Condition,
    pipeline_file::{ApprovalTable, GateTable, PipelineFile, StageTable},
    source_map::{Place, Report},
};

/// Reports what can be said without the backlogs whose entries take the pipeline.
pub(super) fn check(file: &PipelineFile, root: &Place<'_>, report: &mut Report) {
    for (position, stage) in file.stage.iter().enumerate() {
        let place = root.key("stage").index(position);
        check_condition(stage.when.as_deref(), &place.key("when"), report);
        let approval = stage.approval.as_ref().and_then(|approval| approval.when.as_deref());
        check_condition(approval, &place.key("approval").key("when"), report);
        let before = &file.stage[..position];
        if stage.on == On::Failure && before.iter().all(|stage| stage.on == On::Failure) {
            let message = "it runs when a stage before it failed, and there is none that could";
            let help = "put it behind the stages that it cleans up after, or take `on` out";
            report.error(&place.key("on"), message, Some(help.into()));
        }
        for (position, gate) in stage.gate.iter().enumerate() {
            let place = place.key("gate").index(position);
            check_rework(stage, gate, before, &place.key("rework_to"), report);
        }
    }
}

pub(super) fn approval(table: ApprovalTable) -> Approval {
    Approval { role: table.role, when: table.when }
}

fn check_condition(text: Option<&str>, place: &Place<'_>, report: &mut Report) {
    if let Some(Err(error)) = text.map(Condition::parse) {
        report.error_inside(place, error.span, error.message, error.help);
    }
}

/// Work is sent back to a stage that does it again, whatever has become of the run by then.
fn check_rework(
    stage: &StageTable,
    gate: &GateTable,
    before: &[StageTable],
    place: &Place<'_>,
    report: &mut Report,
) {
    let Some(name) = gate.rework_to.as_ref().filter(|name| **name != stage.name) else { return };
    // A stage that is none, or a later one, is reported where the gate is resolved.
    let Some(target) = before.iter().find(|stage| stage.name == *name) else { return };
    if stage.on != On::Success {
        let message = format!(
            "a stage with `on = \"{}\"` is done again alone: what came before may have failed",
            stage.on
        );
        report.error(place, message, Some(format!("rework_to = \"{}\", or take it out", stage.name)));
    } else if target.on == On::Failure {
        let message = format!("`{name}` runs on failure only, so nothing can be sent back to it");
        report.error(place, message, None);
    } else if target.when.is_some() && target.when != stage.when {
        let message = format!("`{name}` does not apply to every entry, so work may be sent back to nothing");
        let help = "name a stage without `when`, or give both stages the same one";
        report.error(place, message, Some(help.into()));
    }
}
