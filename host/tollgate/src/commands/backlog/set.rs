//! `tollgate backlog set`.

use clap::Args;
use serde_json::Value;
use tollgate_engine::{judge::Lanes, rank::Ranker};
use tollgate_policy::Backlog;
use tollgate_store::{
    OpenMode, Store,
    port::{EntryDetail, NewFieldValue},
};

use crate::{
    context::Context,
    entry_argument,
    error::{Failure, Result},
    exit::Exit,
    project::Project,
    ui::json,
};

/// Set fields of an entry, whatever its source and its refine stages say
///
/// What a person sets wins until it is taken back with `FIELD=`. The entry is judged again at once; a run that is under way goes on
/// with what the entry said when it began. Who set what, when and why is kept.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    #[arg(value_name = "ENTRY", help = entry_argument::HELP)]
    entry: String,
    /// A declared field and its value; nothing behind `=` takes back what was set before
    #[arg(value_name = "FIELD=VALUE", required = true)]
    fields: Vec<String>,
    /// Say why
    #[arg(long, value_name = "TEXT", default_value = "no reason was given")]
    why: String,
    /// Set it in this name [default: the name of this account]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

pub(crate) async fn run(context: &Context, args: SetArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::Client).await?;
    let detail = entry_argument::find(&*store, &project.folder, &args.entry).await?;
    let key = &detail.status.name.key;
    let backlog = backlog_of(&project, &detail)?;
    // All of them are understood before the first is set.
    let values = args.fields.iter().map(|text| read(backlog, text)).collect::<Result<Vec<_>>>()?;
    let who = args.who.unwrap_or_else(|| context.environment.who());
    let mut sentences = Vec::new();
    for (field, value) in values {
        sentences.push(match &value {
            Some(value) => format!("`{field}` of {key} is {value} now, as {who} says"),
            None => format!("`{field}` of {key} is no longer what a person set"),
        });
        let new = NewFieldValue { field, value, who: who.clone(), why: args.why.clone() };
        store.set_field(detail.status.id, new).await?;
    }
    judge(&project, &*store).await?;
    let state = store.entry(key, Some(&detail.status.name.tracker)).await?.status.state;
    sentences.push(format!("{key} is {state}; `tollgate why {key}` says more"));
    context.printer.show(&json::Done { done: sentences.join("\n") }, |done| done.done.clone())?;
    Ok(Exit::Done)
}

fn backlog_of<'p>(project: &'p Project, detail: &EntryDetail) -> Result<&'p Backlog> {
    let name = &detail.status.backlog;
    project.policy.backlog(name).ok_or_else(|| {
        let text = format!("the policy has no backlog `{name}` any more, so its entries have no fields");
        Failure::mistake_with_hint(text, "put it back into tollgate.toml, or move the item to another source")
    })
}

/// A field and its value, as the backlog declares it.
fn read(backlog: &Backlog, text: &str) -> Result<(String, Option<Value>)> {
    let Some((field, written)) = text.split_once('=') else {
        return Err(Failure::mistake_with_hint(
            format!("`{text}` says no value"),
            format!("write `{text}=VALUE`, or `{text}=` to take back what was set"),
        ));
    };
    let field = field.trim();
    let value = match written.trim() {
        "" => None,
        written => match backlog.field_value(field, written) {
            Ok(value) => Some(value),
            Err((problem, Some(help))) => return Err(Failure::mistake_with_hint(problem, help)),
            Err((problem, None)) => {
                let help = format!("`tollgate backlog schema {}` shows what it takes", backlog.name);
                return Err(Failure::mistake_with_hint(problem, help));
            }
        },
    };
    Ok((field.to_owned(), value))
}

/// Judges what is due now, so that the answer to the next question is right. A host does it when the policy that is applied is not
/// the one on the disk.
async fn judge(project: &Project, store: &dyn Store) -> Result<()> {
    let Some(applied) = store.applied_policy().await? else { return Ok(()) };
    let Some(lane) = applied.lanes.first() else { return Ok(()) };
    if store.pins(lane.pins).await?.policy == project.policy.digest() {
        Ranker::new(&project.policy, Lanes::of(&applied)).judge_due(store).await?;
    }
    Ok(())
}
