//! What `tollgate approve` and `tollgate reject` have in common.

use clap::Args;
use tollgate_core::{
    RunId,
    approval::{Ask, Word},
};
use tollgate_policy::roles;
use tollgate_store::{Store, port::NewDecision};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    project::Project,
    run_argument,
    ui::{json, text::list},
};

/// Who answers which run.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    #[arg(value_name = "RUN-OR-ENTRY", help = run_argument::HELP)]
    run: String,
    /// Answer in this name [default: the name of this account]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) run: RunId,
    pub(super) key: String,
    pub(super) asked: Ask,
}

/// Sends an answer to a run that asks.
///
/// # Errors
///
/// When there is no such run, or it asks nothing.
pub(super) async fn send(
    context: &Context,
    store: &dyn Store,
    project: &Project,
    args: AnswerArgs,
    why: String,
    word: Word,
) -> Result<Answer> {
    let run = run_argument::find(store, project, &args.run).await?;
    let summary = store.run(run).await?.summary;
    let key = summary.entry.key;
    let who = args.who.unwrap_or_else(|| context.environment.who());
    if let Some(role) = summary.ask.and_then(|ask| ask.role) {
        check_role(project, &role, &who)?;
    }
    let asked = store.decide(run, NewDecision { who, why, word }).await?.asked;
    Ok(Answer { run, key, asked })
}

/// Who answers for a role is one of its members, as the project lists them now. A name is what people say of themselves: this keeps
/// from mistakes, not from those who lie.
fn check_role(project: &Project, role: &str, who: &str) -> Result<()> {
    let members = project.policy.roles.get(role).map(Vec::as_slice).unwrap_or_default();
    if roles::names(members, who) {
        return Ok(());
    }
    let hint = match members.iter().filter(|member| roles::is_person(member)).cloned().collect::<Vec<_>>() {
        people if people.is_empty() => {
            format!("list people by name in tollgate.toml, [roles]: {role} = [\"{who}\"]")
        }
        people => format!("{} can, `--who NAME` says who you are", list(&people)),
    };
    Err(Failure::mistake_with_hint(
        format!("`{who}` is not named in the role `{role}`, which is asked"),
        hint,
    ))
}

/// Says what was done.
pub(super) fn show(context: &Context, done: String) -> Result<Exit> {
    context.printer.show(&json::Done { done }, |done| done.done.clone())?;
    Ok(Exit::Done)
}
