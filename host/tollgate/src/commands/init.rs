//! `tollgate init`.

mod policy_text;
mod survey;

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use tollgate_core::time::SystemClock;
use tollgate_policy::PROJECT_FILE;
use tollgate_tracker::{FolderConfig, FolderTracker, ScanReport, Tracker as _};

use self::survey::Survey;
use crate::{
    context::Context,
    error::{Failure, Result},
    example::{Example, Written, write_new},
    exit::Exit,
    ui::{
        json::InitReport,
        printer::{Printer, Tone},
        text::count,
    },
};

/// The pipeline that a new project gets.
const PIPELINE: &str = include_str!("init/spec-generation.toml");

/// Make a project: of a folder of Markdown items, or of an example
///
/// Of a folder, its items are read and a policy is written that fits what is in them; the items are not touched. Files that are
/// there already stay as they are.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where it comes from: `folder:PATH` or `example:NAME`
    #[arg(long, value_name = "SOURCE")]
    from: Origin,
    /// Make the project here [default: the current folder, for an example a new folder of its name]
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Say who answers for what enters the backlog: a person or a team
    #[arg(long, value_name = "NAME", default_value = survey::UNASSIGNED)]
    owner: String,
}

/// What a project is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Folder(PathBuf),
    Example(String),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once(':') {
            Some(("folder", path)) if !path.is_empty() => Ok(Self::Folder(path.into())),
            Some(("example", name)) if !name.is_empty() => Ok(Self::Example(name.to_owned())),
            _ => Err(format!(
                "expected `folder:PATH` or `example:NAME`, where NAME is one of {}",
                Example::names().join(", ")
            )),
        }
    }
}

pub(crate) async fn run(context: &Context, args: InitArgs) -> Result<Exit> {
    if context.project.is_some() {
        return Err(Failure::mistake_with_hint(
            "`init` makes a project and takes no --project",
            "name the folder as DIR",
        ));
    }
    let (project, written) = match args.from {
        Origin::Folder(folder) => {
            let project = args.dir.unwrap_or_else(|| PathBuf::from("."));
            let written = of_folder(&context.printer, &project, &folder, &args.owner).await?;
            (project, written)
        }
        Origin::Example(name) => {
            let example = Example::find(&name)?;
            let project = args.dir.unwrap_or_else(|| PathBuf::from(name));
            refuse_second(&project)?;
            let written = example.unpack(&project)?;
            (project, written)
        }
    };
    let Written { written, kept } = written;
    let report = InitReport { project: project.display().to_string(), written, kept };
    context.printer.show(&report, text)?;
    Ok(Exit::Done)
}

/// A project is made once.
fn refuse_second(project: &Path) -> Result<()> {
    let file = project.join(PROJECT_FILE);
    if !file.exists() {
        return Ok(());
    }
    Err(Failure::mistake_with_hint(
        format!("{} is there already", file.strip_prefix(".").unwrap_or(&file).display()),
        "`tollgate check` checks it; another DIR makes another project",
    ))
}

async fn of_folder(printer: &Printer, project: &Path, folder: &Path, owner: &str) -> Result<Written> {
    refuse_second(project)?;
    fs::create_dir_all(project).map_err(Failure::io(format!("make {}", project.display())))?;
    let inside = inside(project, folder)?;
    let report = scan(project, &inside).await?;
    for skipped in &report.skipped {
        printer.event(Tone::Notable, "skipped", skipped);
    }
    let survey = Survey::of(&inside, &report);
    let mut done = Written::default();
    write_new(project, PROJECT_FILE, policy_text::write(&survey, owner).as_bytes(), &mut done)?;
    let pipeline = PIPELINE.replace("OWNER", &policy_text::quote(owner));
    write_new(project, "pipelines/spec-generation.toml", pipeline.as_bytes(), &mut done)?;
    printer.note(survey.in_words());
    Ok(done)
}

/// The folder of items as the project names it.
fn inside(project: &Path, folder: &Path) -> Result<String> {
    let whole = |path: &Path| fs::canonicalize(path).map_err(Failure::io(format!("find {}", path.display())));
    // A path is meant from here; one that is only there from the project is meant from the project.
    let folder = if folder.exists() { folder.to_owned() } else { project.join(folder) };
    let (project, whole_folder) = (whole(project)?, whole(&folder)?);
    if !whole_folder.is_dir() {
        return Err(Failure::mistake(format!("{} is no folder", folder.display())));
    }
    let parts =
        whole_folder.strip_prefix(&project).ok().map(|inside| inside.to_string_lossy().replace('\\', "/"));
    match parts.as_deref() {
        Some("") => Err(Failure::mistake_with_hint(
            format!("{} would be the project and the backlog in one", folder.display()),
            "put the items into a folder of their own, or name the folder above it as DIR",
        )),
        Some(inside) => Ok(inside.to_owned()),
        None => Err(Failure::mistake_with_hint(
            format!("{} is not inside the project {}", folder.display(), project.display()),
            "name a folder as DIR that holds it",
        )),
    }
}

async fn scan(project: &Path, folder: &str) -> Result<ScanReport> {
    let config = FolderConfig { settle: Duration::ZERO, ..FolderConfig::new(project, folder) };
    let tracker = FolderTracker::open(config, Arc::new(SystemClock::default()));
    let tracker = tracker.map_err(|error| Failure::mistake(error.to_string()))?;
    tracker.scan().await.map_err(|error| Failure::mistake(error.to_string()))
}

fn text(report: &InitReport) -> String {
    let mut lines = vec![format!(
        "{} in {}",
        count(report.written.len() as u64, "file written", "files written"),
        report.project
    )];
    if report.written.len() <= 5 {
        lines.extend(report.written.iter().map(|path| format!("  {path}")));
    }
    lines.extend(report.kept.iter().map(|path| format!("  {path} was there and stayed as it was")));
    let there = if report.project == "." { String::new() } else { format!(" --project {}", report.project) };
    lines.push(format!(
        "Next: read {PROJECT_FILE}; `tollgate check{there}` checks it, `tollgate run --dry-run{there}` shows what would run, \
         `tollgate run --drain{there}` runs it."
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use tollgate_engine::adapter::catalog::Catalog;
    use tollgate_policy::Policy;
    use tollgate_registry::Registry;

    use super::*;
    use crate::ui::printer::{Format, captured};

    #[test]
    fn where_a_project_comes_from_is_said_in_two_forms() {
        assert_eq!("folder:docs/a".parse(), Ok(Origin::Folder("docs/a".into())));
        assert_eq!("example:backlog-md".parse(), Ok(Origin::Example("backlog-md".into())));
        for wrong in ["docs", "folder:", "github:o/r", ""] {
            assert!(wrong.parse::<Origin>().unwrap_err().contains("spec-generation"), "{wrong}");
        }
    }

    /// How every policy begins.
    const HEAD: &str = r#"# Made by `tollgate init` of what is in docs/items.
# `tollgate check` checks this file; `tollgate check --defaults` shows what else can be said here.

[backlog.items]
owner    = "team:docs"
zone     = "UTC"    # whose midnight begins a day, e.g. "Europe/Berlin"
pipeline = "spec-generation"

# What enters. Nothing else does, so an item that nobody meant to run does not run by accident.
"#;

    /// Makes a project of these items and checks that its configuration holds; the policy after [`HEAD`].
    async fn made_of(items: &[(&str, &str)]) -> String {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join("docs/items");
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in items {
            fs::write(folder.join(name), text).unwrap();
        }
        let (printer, ..) = captured::printer(Format::Text);
        let done = of_folder(&printer, project.path(), &folder, "team:docs").await.unwrap();
        assert_eq!(done.written, [PROJECT_FILE, "pipelines/spec-generation.toml"]);
        let text = fs::read_to_string(project.path().join(PROJECT_FILE)).unwrap();
        let policy = Policy::load(project.path()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let found = policy.check(&Catalog(&Registry::shipped()));
        assert!(found.is_empty(), "{}\n{text}", found.render(&policy.files()));
        let again = of_folder(&printer, project.path(), &folder, "o").await.unwrap_err();
        assert!(again.to_string().ends_with("is there already"), "{again}");
        text.strip_prefix(HEAD).unwrap_or_else(|| panic!("{text}")).to_owned()
    }

    #[tokio::test]
    async fn the_policy_uses_what_items_say() {
        let text = made_of(&[
            (
                "a.md",
                "---\nid: A-1\ntitle: One\nstatus: To Do\npriority: high\nlabels: [x]\ndepends: A-2\n---\nText\n",
            ),
            (
                "b.md",
                "---\nid: A-2\ntitle: Two\nstatus: Done\npriority: Low\ncreated: 2026-01-02\n---\nText\n",
            ),
            ("c.md", "---\nid: A-3\ntitle: Three\nstatus: In Progress\n---\nText\n"),
        ]);
        insta::assert_snapshot!(text.await, @r#"
        # To take only what somebody asked for, add `"tollgate" in labels` and give items that label.
        # Left out, because somebody is at it or it cannot go on: In Progress.
        eligible = 'field.status in ["To Do"]'

        # What comes first: the largest. A week of waiting counts as much as one step of priority, for five weeks at most.
        priority = '{"high": 4, "Low": 2}[field.priority] + min(floor(age_days / 7), 5)'

        [[backlog.items.source]]
        folder = "docs/items"
        # Front matter of 3 items: id (3), status (3), title (3), priority (2), created (1), depends (1), labels (1).
        # `key`, `title`, `labels`, `created`, `depends` and `state` name a member where it is called otherwise.
        # Labels: x (1).
        # 1 item depends on others; an entry waits until those are done.

        # What is known of an entry. One without a field that has no default is held until it has it.
        [backlog.items.fields]
        status   = { type = "string", purpose = "eligibility", from = "front-matter:status" }
        priority = { type = "string", purpose = "order", from = "front-matter:priority", values = ["high", "Low"], default = "Low" }
        "#);
    }

    #[tokio::test]
    async fn a_label_that_asks_for_it_and_headings_are_used() {
        let text = made_of(&[
            ("a.md", "# One\n\n## Status: open\n\n## Priority: P1\n\n## Labels: tollgate\n\nText\n"),
            ("b.md", "# Two\n\n## Status: \"o\\pen\"\n\nText\n"),
        ]);
        insta::assert_snapshot!(text.await, @r#"
        eligible = '"tollgate" in labels && field.status in ["\"o\\pen\"", "open"]'

        # What comes first: the largest. A week of waiting counts as much as one step of priority, for five weeks at most.
        priority = '{"P1": 4}[field.priority] + min(floor(age_days / 7), 5)'

        # Headings are text that anyone who may edit an item may write. The rules above read these all the same.
        trust_text = ["status"]

        [[backlog.items.source]]
        folder = "docs/items"
        # Labels: tollgate (1).

        # What is known of an entry. One without a field that has no default is held until it has it.
        [backlog.items.fields]
        status   = { type = "string", purpose = "eligibility", from = "heading:Status" }
        priority = { type = "string", purpose = "order", from = "heading:Priority", values = ["P1"], default = "P1" }
        "#);
    }

    #[tokio::test]
    async fn items_that_say_nothing_all_enter_by_age() {
        insta::assert_snapshot!(made_of(&[("a.md", "# One\n\nText\n")]).await, @r#"
        # To take only what somebody asked for, add `"tollgate" in labels` and give items that label.
        eligible = 'true'

        # What comes first: the oldest. `priority = '…'` takes a formula instead.
        order_by = ["created"]

        [[backlog.items.source]]
        folder = "docs/items"
        "#);
        made_of(&[]).await;
    }

    #[test]
    fn the_items_are_inside_the_project() {
        let project = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        fs::create_dir_all(project.path().join("a/b")).unwrap();
        assert_eq!(inside(project.path(), Path::new("a/b")).unwrap(), "a/b");
        assert_eq!(inside(project.path(), &project.path().join("a")).unwrap(), "a");
        for outside in [other.path(), project.path()] {
            assert!(inside(project.path(), outside).unwrap_err().hint().is_some());
        }
    }
}
