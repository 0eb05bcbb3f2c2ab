//! `tollgate audit verify`.

use std::sync::Arc;

use clap::Args;
use tollgate_core::{Clock, time::SystemClock};
use tollgate_engine::audit::{self, Audit};
use tollgate_store::OpenMode;

use crate::{context::Context, error::Result, exit::Exit, ui::text::count};

/// Verify that events, records and what trackers hold are what was written
///
/// Follows the hash chain of every run, and compares each record in the store with its chain and each record in a tracker with
/// the one in the store. Of a run that was rebuilt from its record there is no chain here, only its head. Exits with 1 when anything
/// does not fit.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {}

pub(crate) async fn run(context: &Context, _: VerifyArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::ReadOnly).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let trackers = project.trackers(&clock)?;
    let audit = audit::verify(&*store, trackers.all()).await?;
    context.printer.show(&audit, text)?;
    Ok(if audit.problems.is_empty() { Exit::Done } else { Exit::Failed })
}

fn text(audit: &Audit) -> String {
    let mut lines: Vec<_> = audit.problems.iter().map(|problem| format!("- {problem}")).collect();
    let rebuilt = match audit.rebuilt {
        0 => String::new(),
        rebuilt => format!(" ({rebuilt} known by their records alone)"),
    };
    let adopted = match audit.adoptions {
        0 => String::new(),
        adoptions => format!(", {}", count(adoptions, "adoption", "adoptions")),
    };
    let compared = format!(
        "{}{rebuilt} with {}{adopted}, {} in the store and {} in trackers",
        count(audit.runs, "run", "runs"),
        count(audit.events, "event", "events"),
        count(audit.records_stored, "record", "records"),
        audit.records_delivered
    );
    lines.push(match audit.problems.len() as u64 {
        0 => format!("all fits: {compared}"),
        problems => format!("{} in {compared}", count(problems, "problem", "problems")),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_come_first_and_the_sum_last() {
        let fine = Audit {
            runs: 1,
            rebuilt: 0,
            events: 7,
            adoptions: 0,
            records_stored: 1,
            records_delivered: 1,
            problems: vec![],
        };
        insta::assert_snapshot!(text(&fine), @"all fits: 1 run with 7 events, 1 record in the store and 1 in trackers");
        let bad = Audit { problems: vec!["a.md: the record was changed".into()], ..fine };
        insta::assert_snapshot!(text(&bad), @r"
        - a.md: the record was changed
        1 problem in 1 run with 7 events, 1 record in the store and 1 in trackers
        ");
    }
}
