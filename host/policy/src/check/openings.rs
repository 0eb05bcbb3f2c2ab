//! Stages that may open entries, and no backlog that takes any.

use crate::{policy::Policy, source_map::Report};

/// Names the grant of each such stage: whatever it opens is refused, and its run fails.
pub(super) fn check(policy: &Policy, report: &mut Report) {
    if policy.backlogs.values().any(|backlog| backlog.internal) {
        return;
    }
    for pipeline in policy.pipelines.values() {
        let Some(source) = policy.source_of(pipeline) else { continue };
        for (number, stage) in pipeline.stages.iter().enumerate() {
            if let Some(at) = stage.grants.iter().position(|grant| grant == "effect:open-entry") {
                let place = source.root().key("stage").index(number).key("grant").index(at);
                let help = "add `[[backlog.NAME.source]]` with `internal = true` to tollgate.toml".to_owned();
                report.error(&place, "no backlog takes what this stage opens", Some(help));
            }
        }
    }
}
