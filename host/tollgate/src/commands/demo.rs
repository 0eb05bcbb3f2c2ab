//! `tollgate demo`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use tollgate_core::{entry::EntryState, run::RunSummary};

use super::run;
use crate::{
    context::Context,
    error::{Failure, Result},
    example::{self, Example},
    exit::Exit,
    host::{self, Wish},
    project::Project,
    ui::json::{EntryOutcome, HostReport},
};

/// Run an example backlog from beginning to end and show what became of each entry
///
/// Lays the example `spec-generation` into a folder, unless it is there already, and runs it. A second demo finds nothing to do.
/// Some of its entries are meant to fail or to be held; that is part of the show, and the exit code is 0. Needs no network.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Put the example here
    #[arg(long, value_name = "DIR", default_value = "tollgate-demo")]
    dir: PathBuf,
}

pub(crate) async fn run(context: &Context, args: DemoArgs) -> Result<Exit> {
    let folder = args.dir;
    lay_out(context, &folder)?;
    let project = Project::load(&folder)?;
    let ended = host::run(context, &project, Wish { drain: true, ..Wish::default() }).await?;
    let mut report = HostReport::new(&ended.outcome);
    report.cover(ended.store.coverage().await?);
    report.stopped |= ended.interrupted;
    let outcomes = run::all_outcomes(&*ended.store).await?;
    report.entries = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    report.asking = run::asking(&*ended.store).await?;
    context.printer.show(&report, |report| {
        format!(
            "{}\n\n{}",
            run::summary(&context.printer, report),
            where_to_look(&folder, &report.entries, &report.asking)
        )
    })?;
    // Entries that fail are part of the show; being stopped is not.
    Ok(if ended.exit() == Exit::Stopped { Exit::Stopped } else { Exit::Done })
}

/// Puts the example into the folder, unless a project is there.
fn lay_out(context: &Context, folder: &Path) -> Result<()> {
    if folder.join(tollgate_policy::PROJECT_FILE).is_file() {
        return Ok(());
    }
    let is_empty = fs::read_dir(folder).is_ok_and(|mut files| files.next().is_none());
    if folder.exists() && !is_empty {
        return Err(Failure::mistake_with_hint(
            format!("{} is there, is not empty and holds no project", folder.display()),
            "`--dir DIR` names another folder",
        ));
    }
    let written = Example::find(example::DEMO)?.unpack(folder)?.written;
    context.printer.note(format!(
        "wrote the example `{}` to {} ({} files)",
        example::DEMO,
        folder.display(),
        written.len()
    ));
    Ok(())
}

/// What a person may want to open next: one entry of each kind of end.
fn where_to_look(folder: &Path, entries: &[EntryOutcome], asking: &[RunSummary]) -> String {
    let at = |path: &str| folder.join(path).display().to_string();
    let mut lines = vec!["Where to look next:".to_owned()];
    let mut say = |what: &str, place: String| lines.push(format!("  {what:<29} {place}"));
    say("what is in the backlog", at("README.md"));
    say("the policy", format!("{} and {}", at("tollgate.toml"), at("pipelines")));
    let published = entries.iter().find(|entry| entry.reworks > 0 && !entry.published.is_empty());
    let published = published.or_else(|| entries.iter().find(|entry| !entry.published.is_empty()));
    if let Some(file) = published.and_then(|entry| entry.published.first()) {
        say("a specification", at(file));
    }
    let first = |state: EntryState| entries.iter().find(|entry| entry.state == state);
    let project = folder.display();
    let why = |key: &str| format!("tollgate why {key} --project {project}");
    if let Some(run) = asking.first() {
        say("why a run waits for a person", why(&run.entry.key));
    }
    for (state, what) in [
        (EntryState::Failed, "why an entry failed"),
        (EntryState::Escalated, "why a person is asked"),
        (EntryState::Held, "why an entry is held"),
    ] {
        if let Some(entry) = first(state) {
            say(what, why(&entry.key));
        }
    }
    say("the records", format!("{}, beside the items", at("backlog/*.tollgate.md")));
    say("whether anything was changed", format!("tollgate audit verify --project {}", folder.display()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::printer::{Format, captured};

    fn context() -> Context {
        Context {
            printer: captured::printer(Format::Text).0,
            environment: crate::env::Environment::default(),
            project: None,
        }
    }

    #[test]
    fn the_example_is_laid_into_a_new_or_empty_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        lay_out(&context(), folder.path()).unwrap();
        assert!(folder.path().join("tollgate.toml").is_file());
        lay_out(&context(), folder.path()).unwrap();
        let taken = tempfile::tempdir().unwrap();
        fs::write(taken.path().join("notes.txt"), "mine").unwrap();
        let refused = lay_out(&context(), taken.path()).unwrap_err();
        assert!(refused.to_string().contains("holds no project"), "{refused}");
        assert_eq!(fs::read_dir(taken.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_entry_of_each_end_is_pointed_at() {
        let entry = |key: &str, state, reworks, published: &[&str]| EntryOutcome {
            key: key.into(),
            title: String::new(),
            state,
            reworks,
            reason: None,
            published: published.iter().map(|&path| path.to_owned()).collect(),
        };
        let entries = [
            entry("LIB-101", EntryState::Done, 0, &["specs/LIB-101.md"]),
            entry("LIB-121", EntryState::Done, 1, &["specs/LIB-121.md"]),
            entry("LIB-114", EntryState::Escalated, 3, &[]),
            entry("LIB-116", EntryState::Held, 0, &[]),
        ];
        insta::assert_snapshot!(where_to_look(Path::new("tollgate-demo"), &entries, &[]), @r#"
        Where to look next:
          what is in the backlog        tollgate-demo/README.md
          the policy                    tollgate-demo/tollgate.toml and tollgate-demo/pipelines
          a specification               tollgate-demo/specs/LIB-121.md
          why a person is asked         tollgate why LIB-114 --project tollgate-demo
          why an entry is held          tollgate why LIB-116 --project tollgate-demo
          the records                   tollgate-demo/backlog/*.tollgate.md, beside the items
          whether anything was changed  tollgate audit verify --project tollgate-demo
        "#);
    }
}
