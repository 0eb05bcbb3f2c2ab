//! `tollgate store doctor`.

use std::{io, path::PathBuf};

use clap::Args;
use serde::Serialize;
use tollgate_engine::doctor::{self, Extent};
use tollgate_policy::StoreAddress;
use tollgate_store::{
    OpenMode, SqliteStore, StoreError,
    doctor::{BEGIN_ANEW, Examination, Finding, FindingKind, Gravity},
};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    project::Project,
    ui::text::count,
};

/// Find out what is wrong with the store, and what to do about it
///
/// Looks at whatever lies where the store should be, and changes nothing; hosts may go on meanwhile. Of a store in a file it looks at the
/// place and the room on the disk, and has the database check its own pages and references; of one in PostgreSQL this is the server's
/// business (`pg_amcheck`). It counts again what the store keeps count of, follows the chain of every
/// run, and looks for the artifacts that runs name. `tollgate audit verify` compares with the trackers as well. Exits with 1 when
/// anything has to be mended; what is only a risk is told.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Read the bytes of at most this many artifacts, those of the newest runs first; the others are only looked for
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    artifacts: u64,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    /// Where the store is.
    store: String,
    #[serde(flatten)]
    examination: Examination,
    /// How much of it was looked at.
    #[serde(flatten)]
    extent: Extent,
}

pub(crate) async fn run(context: &Context, args: DoctorArgs) -> Result<Exit> {
    let project = context.project()?;
    let mut examination = match &project.policy.instance.store {
        StoreAddress::Sqlite(path) => examine_file(project.folder.join(path)).await?,
        StoreAddress::Postgres(_) => examine_database(&project).await,
    };
    let extent = match examination.is_readable {
        true => look_at_runs(&project, args.artifacts, &mut examination).await,
        false => Extent::default(),
    };
    let report = Report { store: super::address(&project), examination, extent };
    context.printer.show(&report, text)?;
    Ok(if report.examination.has_faults() { Exit::Failed } else { Exit::Done })
}

async fn examine_file(path: PathBuf) -> Result<Examination> {
    let examined = tokio::task::spawn_blocking(move || SqliteStore::examine(&path)).await;
    examined.map_err(|panicked| Failure::Io {
        doing: "look at the store".into(),
        source: io::Error::other(panicked),
    })
}

/// What a server says of itself is its keeper's business; here is what only Tollgate knows.
async fn examine_database(project: &Project) -> Examination {
    let mut found = Examination::default();
    let store = match project.archive(OpenMode::ReadOnly).await {
        Ok(store) => store,
        Err(Failure::NoStore { location }) => {
            let what = format!("{location} is an empty database");
            let advice = "`tollgate run` makes a store of it; if there was one, put a backup in its place";
            found.add(Finding::risk(FindingKind::Schema, what, advice));
            return found;
        }
        Err(failure) => {
            let advice = failure.hint().unwrap_or_else(|| "mend that first, and look again".into());
            let kind = match failure {
                Failure::Store(StoreError::NewerSchema { .. }) => FindingKind::Schema,
                _ => FindingKind::Place,
            };
            found.add(Finding::fault(kind, failure.to_string(), advice));
            return found;
        }
    };
    match store.contradictions().await {
        Ok(contradictions) => {
            found.is_readable = true;
            contradictions.into_iter().for_each(|finding| found.add(finding));
        }
        Err(error) => {
            found.add(Finding::fault(
                FindingKind::Database,
                format!("it cannot be read: {error}"),
                BEGIN_ANEW,
            ));
        }
    }
    found
}

/// Looks at the runs and artifacts of a store that can be read. Where that fails all the same, this is a finding.
async fn look_at_runs(project: &Project, artifacts: u64, found: &mut Examination) -> Extent {
    let looked = async {
        let store = project.store(OpenMode::ReadOnly).await?;
        let place = project.artifacts_to_read()?;
        Ok::<_, Failure>(doctor::examine_runs(&*store, &*place, artifacts, found).await?)
    };
    match looked.await {
        Ok(extent) => extent,
        Err(failure) => {
            let what = format!("the runs cannot be looked at: {failure}");
            found.add(Finding::fault(FindingKind::Run, what, "mend what is named first, and look again"));
            Extent::default()
        }
    }
}

fn text(report: &Report) -> String {
    let findings = &report.examination.findings;
    let mut lines: Vec<_> = findings.iter().map(finding).collect();
    let Extent { runs, events, artifacts, artifacts_read } = report.extent;
    let looked_at = format!(
        "{} with {}, {} of which {artifacts_read} were read",
        count(runs, "run", "runs"),
        count(events, "event", "events"),
        count(artifacts, "artifact", "artifacts"),
    );
    let of = |gravity: Gravity| findings.iter().filter(|finding| finding.gravity == gravity).count() as u64;
    let sum = match (of(Gravity::Fault), of(Gravity::Risk)) {
        (0, 0) => "nothing is wrong with".to_owned(),
        (0, risks) => format!("{} and no fault in", count(risks, "risk", "risks")),
        (faults, 0) => format!("{} in", count(faults, "fault", "faults")),
        (faults, risks) => {
            format!("{} and {} in", count(faults, "fault", "faults"), count(risks, "risk", "risks"))
        }
    };
    lines.push(match report.examination.is_readable {
        true => format!("{sum} {}: {looked_at}", report.store),
        false => format!("{sum} {}, whose runs could not be looked at", report.store),
    });
    lines.join("\n")
}

fn finding(finding: &Finding) -> String {
    let gravity = match finding.gravity {
        Gravity::Fault => "fault",
        Gravity::Risk => "risk",
    };
    format!("{gravity}: {}\n  {}", finding.what, finding.advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_first_and_the_sum_last() {
        let fine = Report {
            store: "tollgate.db".into(),
            examination: Examination { findings: vec![], is_readable: true },
            extent: Extent { runs: 3, events: 27, artifacts: 2, artifacts_read: 1 },
        };
        insta::assert_snapshot!(text(&fine), @"nothing is wrong with tollgate.db: 3 runs with 27 events, 2 artifacts of which 1 were read");
        let mut examination = Examination::default();
        examination.add(Finding::risk(FindingKind::Room, "there are 3 MiB left", "make room"));
        examination.add(Finding::fault(FindingKind::Database, "a page is torn", "put a backup back"));
        let bad = Report { examination, ..fine };
        insta::assert_snapshot!(text(&bad), @r"
        fault: a page is torn
          put a backup back
        risk: there are 3 MiB left
          make room
        1 fault and 1 risk in tollgate.db, whose runs could not be looked at
        ");
    }
}
