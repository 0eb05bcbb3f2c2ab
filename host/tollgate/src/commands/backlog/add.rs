//! `tollgate backlog add`.

use std::{io::Read as _, path::PathBuf, sync::Arc};

use clap::Args;
use serde_json::Value;
use tollgate_core::{
    entry::LinkKind,
    opening::{OpenEntry, OpenLink},
};
use tollgate_engine::{
    judge::Lanes,
    opening::{Asked, NotOpened, Openings},
};
use tollgate_store::{
    OpenMode, Store,
    port::{Opened, OpenedHow},
};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    project::Project,
    ui::{json, text::hold},
};

/// Add an entry that lives in the store alone
///
/// For work that stands in no tracker: a task of a plan, a slice, a release. A backlog takes such entries when it has an internal
/// source (`[[backlog.NAME.source]]` with `internal = true`); they are judged by its policy, run and recorded as all others. To add
/// the same entry again changes nothing: the same key, the same fingerprint, or else the same kind, title and body. With its key, or
/// fingerprint, and another text, what it says is changed.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Read it from a file of JSON, `-` for standard input: `title`, `body`, `kind`, `labels`, `fields`, `links`, `fingerprint`,
    /// `backlog`, as in the body of the effect `open-entry`
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_ENTRY, required_unless_present = "title")]
    file: Option<PathBuf>,
    /// The backlog [default: the only one that takes such entries]
    #[arg(long, value_name = "NAME")]
    backlog: Option<String>,
    /// Its key, which names it in every command [default: made from its fingerprint]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// One line
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// What there is to know of it, in Markdown
    #[arg(long, value_name = "TEXT")]
    body: Option<String>,
    /// What sort of work it is
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// A label; may be given more than once
    #[arg(long, value_name = "LABEL")]
    label: Vec<String>,
    /// The value of a declared field; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = field)]
    field: Vec<(String, String)>,
    /// The key of an entry that has to be done before; may be given more than once
    #[arg(long, value_name = "KEY")]
    depends_on: Vec<String>,
    /// The key of an entry that it belongs to, as to a release; may be given more than once
    #[arg(long, value_name = "KEY")]
    member_of: Vec<String>,
    /// What makes it the same as an entry that was added before
    #[arg(long, value_name = "TEXT")]
    fingerprint: Option<String>,
}

/// The arguments that say what a file would say.
const OF_ENTRY: [&str; 8] =
    ["title", "body", "kind", "label", "field", "depends_on", "member_of", "fingerprint"];

fn field(written: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = written.split_once('=').ok_or("expected `NAME=VALUE`, e.g. `priority=high`")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub(crate) async fn run(context: &Context, args: AddArgs) -> Result<Exit> {
    let project = context.project()?;
    let (key, backlog) = (args.key.clone(), args.backlog.clone());
    let opening = opening(args)?;
    let backlog = match backlog.as_deref().or(opening.backlog.as_deref()) {
        Some(name) => name.to_owned(),
        None => only_backlog(&project)?,
    };
    let store = match project.store(OpenMode::Client).await {
        // An entry may be the first thing there is.
        Err(Failure::NoStore { .. }) => project.store(OpenMode::Host).await?,
        opened => opened?,
    };
    let applied = store.applied_policy().await?;
    let openings = Openings {
        policy: Arc::clone(&project.policy),
        lanes: applied.as_ref().map(Lanes::of).unwrap_or_default(),
    };
    let author = context.environment.who();
    let asked =
        Asked { backlog: &backlog, key: key.as_deref(), author: &author, source: "backlog add", run: None };
    let opened = openings.open(&*store, &opening, asked).await.map_err(failure)?;
    let added = added(&*store, opened).await?;
    context.printer.show(&added, text)?;
    Ok(Exit::Done)
}

fn opening(args: AddArgs) -> Result<OpenEntry> {
    if let Some(path) = args.file {
        return read(&path);
    }
    let link = |kind| move |key: String| OpenLink { kind, key };
    let depends_on = args.depends_on.into_iter().map(link(LinkKind::DependsOn));
    let links = depends_on.chain(args.member_of.into_iter().map(link(LinkKind::MemberOf)));
    Ok(OpenEntry {
        title: args.title.unwrap_or_default(),
        body: args.body.unwrap_or_default(),
        kind: args.kind.unwrap_or_default(),
        labels: args.label,
        fields: args.field.into_iter().map(|(name, value)| (name, Value::from(value))).collect(),
        links: links.collect(),
        fingerprint: args.fingerprint,
        backlog: None,
    })
}

fn read(path: &std::path::Path) -> Result<OpenEntry> {
    let doing = || format!("read {}", path.display());
    let text = if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(Failure::io(doing()))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::mistake_with_hint(
            format!("{} is no entry: {error}", path.display()),
            "expected e.g. {\"title\": \"Count the copies\", \"links\": [{\"kind\": \"depends-on\", \"key\": \"LIB-3\"}]}",
        )
    })
}

fn only_backlog(project: &Project) -> Result<String> {
    let taking = project.policy.backlogs.values().filter(|backlog| backlog.internal);
    let names: Vec<_> = taking.map(|backlog| backlog.name.as_str()).collect();
    match names.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(Failure::mistake_with_hint(
            "no backlog of the project takes entries that somebody adds",
            "add `[[backlog.NAME.source]]` with `internal = true` to tollgate.toml",
        )),
        several => Err(Failure::mistake_with_hint(
            format!("several backlogs take entries that somebody adds: {}", several.join(", ")),
            "name one with `--backlog`",
        )),
    }
}

fn failure(error: NotOpened) -> Failure {
    match error {
        NotOpened::Refused(reason) => Failure::mistake(format!("the entry was not added: {reason}")),
        NotOpened::Store(error) => error.into(),
    }
}

async fn added(store: &dyn Store, opened: Opened) -> Result<json::Added> {
    let status = store.entry(&opened.name.key, Some(&opened.name.tracker)).await?.status;
    let change = match opened.how {
        OpenedHow::Created => json::AddedChange::Created,
        OpenedHow::Revised => json::AddedChange::Revised,
        OpenedHow::Found => json::AddedChange::None,
    };
    Ok(json::Added { change, entry: status })
}

fn text(added: &json::Added) -> String {
    let json::Added { change, entry } = added;
    let change = match change {
        json::AddedChange::Created => "was added to",
        json::AddedChange::Revised => "says something else now in",
        json::AddedChange::None => "is there already, in",
    };
    let holds: Vec<_> = entry.holds.iter().map(hold).collect();
    let holds = if holds.is_empty() { String::new() } else { format!(": {}", holds.join("; ")) };
    format!("{} {change} {}; it is {}{holds}", entry.name.key, entry.backlog, entry.state)
}
