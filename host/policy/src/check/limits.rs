//! Limits that leave no room for what they limit.

use tollgate_core::pipeline::Pipeline;

use crate::{
    policy::Policy,
    source_map::{Place, Report},
};

/// A run sets aside what its stages and gates may cost before it starts; a cap or a budget below that starts none.
pub(super) fn check(policy: &Policy, root: &Place<'_>, report: &mut Report) {
    for (_, pipeline) in policy.lanes() {
        check_cost(policy, pipeline, root, report);
        check_time(policy, pipeline, report);
    }
}

fn check_cost(policy: &Policy, pipeline: &Pipeline, root: &Place<'_>, report: &mut Report) {
    let fuel = pipeline.step_budgets().fold(0, |sum: u64, budget| sum.saturating_add(budget.fuel));
    let tranche = policy.prices.of_fuel(fuel);
    for cap in policy.caps.iter().filter(|cap| cap.limit < tranche) {
        let message = format!(
            "no run of `{}` can start: it sets {tranche} aside, more than the {} of a {}",
            pipeline.name,
            cap.limit,
            cap.period.as_str()
        );
        let help = Some("raise the cap, or lower the `fuel` of the stages".into());
        report.error(&root.key("caps").key(cap.period.as_str()), message, help);
    }
    if let Some(source) = policy.source_of(pipeline).filter(|_| pipeline.budget.cost < tranche) {
        let message = format!(
            "a run may cost {}, less than the {tranche} that its stages and gates may cost",
            pipeline.budget.cost
        );
        let help = Some("raise `cost`, or lower the `fuel` of the stages".into());
        report.error(&source.root().key("budget").key("cost"), message, help);
    }
}

/// One step that may take longer than its whole run is stopped by the run's limit and never by its own.
fn check_time(policy: &Policy, pipeline: &Pipeline, report: &mut Report) {
    let Some(source) = policy.source_of(pipeline) else { return };
    let steps = pipeline.stages.iter().flat_map(|stage| {
        let gates = stage.gates.iter().map(|gate| (gate.name.as_str(), gate.budget.time));
        std::iter::once((stage.name.as_str(), stage.budget.time)).chain(gates)
    });
    let Some((name, longest)) = steps.max_by_key(|(_, time)| *time) else { return };
    if longest > pipeline.budget.time {
        let message = format!(
            "a run may take {}, less than the {} that `{name}` alone may take",
            span(pipeline.budget.time),
            span(longest)
        );
        let help = Some("raise `time`, or lower that of the step".into());
        report.key_warning(&source.root().key("budget").key("time"), message, help);
    }
}

fn span(duration: std::time::Duration) -> String {
    let span = jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX);
    format!("{span:#}")
}
