//! `tollgate escalations`.

use std::time::Duration;

use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser as _};
use tollgate_core::escalation::EscalationKind;
use tollgate_policy::{Policy, roles};
use tollgate_store::{OpenMode, port::EscalationFilter};

use crate::{
    context::Context,
    error::{Failure, Result},
    exit::Exit,
    ui::{
        json::{Escalation, EscalationList},
        text::{clean, count, duration, finding, nearest, shorten},
    },
};

/// Findings of a gate that are shown; `runs show` has all of them.
const FINDINGS_SHOWN: usize = 3;

/// A title is cut to this.
const TITLE_COLUMNS: usize = 60;

/// List what waits for a person, the longest first, with what to type
///
/// Runs that were given to a person, with what the gate found; runs that ask for more fuel, time or money, for an approval, for what a gate
/// needs to judge, or for an answer; and entries that a person has to let in or have tried again. What waits for a time, an event, a
/// dependency or a change of its item is not here: `tollgate backlog list` and `runs list` show it.
#[derive(Debug, Args)]
pub(crate) struct EscalationsArgs {
    /// Show what waits for this only; may be given more than once
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: Vec<EscalationKind>,
    /// Show what is asked of this role only
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// Show what I may answer: not what is asked of a role in `[roles]` that does not name me
    #[arg(long)]
    mine: bool,
    /// With `--mine`: who I am [default: the name of this account]
    #[arg(long, value_name = "NAME", requires = "mine")]
    who: Option<String>,
    /// Show at most this many; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
}

fn kinds() -> impl clap::builder::TypedValueParser<Value = EscalationKind> {
    let parse = |name: String| {
        EscalationKind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or("no such kind")
    };
    PossibleValuesParser::new(EscalationKind::ALL.map(EscalationKind::as_str)).try_map(parse)
}

pub(crate) async fn run(context: &Context, args: EscalationsArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::ReadOnly).await?;
    let is_part = !args.kind.is_empty() || args.role.is_some() || args.mine;
    let not_roles = match args.mine {
        true => roles_without(&project.policy, &args.who.unwrap_or_else(|| context.environment.who())),
        false => Vec::new(),
    };
    let limit = args.limit;
    let role = args.role.clone();
    let filter = EscalationFilter { kinds: args.kind, role: args.role, not_roles, limit, offset: 0 };
    let page = store.escalations(filter).await?;
    if let (Some(role), true) = (&role, page.rows.is_empty()) {
        require_known(&project.policy, role)?;
    }
    let now = store.now().await?;
    let escalations = page.rows.into_iter().map(|row| Escalation::new(row, now)).collect();
    let list = EscalationList { escalations, total: page.total };
    context.printer.show(&list, |list| text(list, is_part))?;
    Ok(Exit::Done)
}

/// Roles of the project that name people, and not this one. Who is in a team, or owns a pipeline, is not known here, so what is given to
/// them is everybody's to see.
fn roles_without(policy: &Policy, who: &str) -> Vec<String> {
    let others = policy.roles.iter().filter(|(_, members)| {
        members.iter().any(|member| roles::is_person(member)) && !roles::names(members, who)
    });
    others.map(|(role, _)| role.clone()).collect()
}

/// A role that is asked nothing may be a name that nobody has.
fn require_known(policy: &Policy, role: &str) -> Result<()> {
    let owners = policy.pipelines.values().map(|pipeline| pipeline.owner.as_str());
    let known: Vec<_> = policy.roles.keys().map(String::as_str).chain(owners).collect();
    if known.contains(&role) {
        return Ok(());
    }
    let hint = match nearest(role, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "roles are listed in tollgate.toml under [roles]".to_owned(),
    };
    Err(Failure::mistake_with_hint(
        format!("there is no role `{role}`, and no pipeline has such an owner"),
        hint,
    ))
}

fn text(list: &EscalationList, is_part: bool) -> String {
    if list.escalations.is_empty() {
        let what = if is_part { "nothing of that kind" } else { "nothing" };
        return format!("{what} waits for a person");
    }
    let mut lines: Vec<_> = list.escalations.iter().flat_map(block).collect();
    let shown = list.escalations.len() as u64;
    let of_all =
        if shown < list.total { format!(" of {}; `--limit 0` shows all", list.total) } else { String::new() };
    let verb = if shown == 1 { "waits" } else { "wait" };
    lines.push(format!("{shown} {verb} for a person{of_all}"));
    lines.join("\n")
}

/// Who waits how long for what; why; and what to type.
fn block(escalation: &Escalation) -> Vec<String> {
    let Escalation { entry, title, waits_ms, reasons, findings, answers, .. } = escalation;
    let waits = duration(Duration::from_millis(*waits_ms));
    let title = shorten(title, TITLE_COLUMNS);
    let mut lines =
        vec![format!("{} “{title}” has waited {waits} for {}:", clean(&entry.key), what(escalation))];
    lines.extend(reasons.iter().map(|reason| format!("    {}", clean(reason))));
    lines.extend(findings.iter().take(FINDINGS_SHOWN).map(|found| clean(&finding(found))));
    if let Some(more @ 1..) = findings.len().checked_sub(FINDINGS_SHOWN) {
        let run = escalation.run.map(|run| run.to_string()).unwrap_or_default();
        let more = count(more as u64, "more finding", "more findings");
        lines.push(format!("    and {more}: tollgate runs show {run}"));
    }
    lines.push(format!("  > {}", answers.join("\n  > ")));
    lines.push(String::new());
    lines
}

fn what(escalation: &Escalation) -> String {
    let by = |anyone: &str| escalation.role.clone().unwrap_or_else(|| anyone.to_owned());
    let step = escalation.step.as_ref().map(|step| format!("`{step}`")).unwrap_or_default();
    match escalation.kind {
        EscalationKind::Escalated => format!("{} to take it on", by("somebody")),
        EscalationKind::Budget if step.is_empty() => "more money for what it opened".to_owned(),
        EscalationKind::Budget => format!("more than {step} is given"),
        EscalationKind::Approval => format!("the approval of {}", by("anyone")),
        EscalationKind::Evidence => format!("what {step} needs to judge"),
        EscalationKind::Question => format!("an answer to {step}"),
        EscalationKind::Held => "somebody to let it go on".to_owned(),
    }
}
