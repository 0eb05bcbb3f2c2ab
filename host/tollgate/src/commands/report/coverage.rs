//! `tollgate report coverage`.

use clap::Args;
use tollgate_core::entry::EntryState;
use tollgate_store::OpenMode;

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    ui::{
        json::{BacklogCoverage, CapStanding, CoverageReport},
        printer::Printer,
        text::count,
    },
};

/// Show how much of each backlog is in which state, why entries are held, and what was spent
#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {}

pub(crate) async fn run(context: &Context, _: CoverageArgs) -> Result<Exit> {
    let store = context.project()?.store(OpenMode::ReadOnly).await?;
    let report = CoverageReport {
        backlogs: store.coverage().await?.into_iter().map(BacklogCoverage::from).collect(),
        caps: store.cap_balances().await?.into_iter().map(CapStanding::from).collect(),
    };
    context.printer.show(&report, |report| text(&context.printer, report))?;
    Ok(Exit::Done)
}

fn text(printer: &Printer, report: &CoverageReport) -> String {
    if report.backlogs.is_empty() {
        return "nothing was read yet".to_owned();
    }
    let mut table = printer.table(&["backlog", "state", "entries", "share"]);
    for backlog in &report.backlogs {
        let all: u64 = backlog.states.values().sum();
        let row = |state: String, entries: u64| {
            [
                backlog.backlog.clone(),
                state,
                entries.to_string(),
                format!("{} %", (entries * 100 + all / 2) / all.max(1)),
            ]
        };
        for (state, entries) in backlog.states.iter().filter(|(_, entries)| **entries > 0) {
            table.row(row(state.to_string(), *entries));
            match state {
                EntryState::Held => {
                    for (kind, entries) in &backlog.holds {
                        table.row(row(format!("  {kind}"), *entries));
                    }
                }
                EntryState::Done if backlog.adopted > 0 => {
                    table.row(row("  adopted".into(), backlog.adopted))
                }
                _ => {}
            }
        }
    }
    let mut parts = vec![table.render()];
    parts.extend(report.backlogs.iter().map(|backlog| {
        let all = backlog.states.values().sum();
        format!("{}: {}, {} spent", backlog.backlog, count(all, "entry", "entries"), backlog.cost)
    }));
    parts.extend(report.caps.iter().map(|cap| {
        format!(
            "{}, {}: {} spent and {} set aside of {}",
            cap.scope, cap.period, cap.settled, cap.escrow, cap.limit
        )
    }));
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tollgate_core::{Microcents, entry::HoldKind};

    use super::*;
    use crate::ui::printer::{Format, captured};

    #[test]
    fn holds_stand_under_what_is_held() {
        let backlog = BacklogCoverage {
            backlog: "specs".into(),
            states: BTreeMap::from([(EntryState::Held, 9), (EntryState::Done, 24), (EntryState::Gone, 0)]),
            holds: BTreeMap::from([(HoldKind::Closed, 2), (HoldKind::Dependency, 7)]),
            adopted: 6,
            cost: Microcents(1_230_000),
        };
        let cap = CapStanding {
            scope: "project".into(),
            period: "2026-11-21".into(),
            limit: Microcents(2_000_000_000),
            settled: Microcents(1_230_000),
            escrow: Microcents::ZERO,
        };
        let (printer, ..) = captured::printer(Format::Text);
        let report = CoverageReport { backlogs: vec![backlog], caps: vec![cap] };
        insta::assert_snapshot!(text(&printer, &report), @r#"
        BACKLOG  STATE         ENTRIES  SHARE
        specs    held          9        27 %
        specs      closed      2        6 %
        specs      dependency  7        21 %
        specs    done          24       73 %
        specs      adopted     6        18 %
        specs: 33 entries, $0.0123 spent
        project, 2026-11-21: $0.0123 spent and $0.00 set aside of $20.00
        "#);
    }
}
