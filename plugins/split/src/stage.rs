//! The stage's face to its host.

use serde_json::{Value, json};
use tollgate_plugin::{Context, Effect, Entry, Failure, Outcome, Produced, Stage, stage};

use crate::children;
use crate::effort::{self, shares};
use crate::part::{self, Part, number};
use crate::settings::Settings;

/// The stage `split`.
pub struct Split;

impl Stage for Split {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        settings.check()?;
        let entry = ctx.entry();
        let effort = effort::of_entry(ctx, &settings)?;
        let Some(efforts) = shares(effort, settings.size, settings.parts_max) else {
            return Err(Failure::escalate(format!(
                "an effort of {effort} makes more than {} parts of {} for {}; say less of it, or raise `parts-max`",
                settings.parts_max, settings.size, entry.key
            )));
        };
        let criteria = part::open_criteria(entry);
        let parts = part::parts(&efforts, &criteria);
        let done = match ctx.woken() {
            Some(woken) => children::all_done(&woken, parts.len())?,
            None => Vec::new(),
        };
        let told = told(entry, &parts);
        let data = json!({ "effort": number(effort), "parts": told, "done": done });
        if parts.len() == 1 {
            return Ok(Produced::new(format!("stays whole: its effort is {effort}")).data(data)?.into());
        }
        let count = parts.len();
        if !done.is_empty() {
            return Ok(Produced::new(format!("all {count} parts are done")).data(data)?.into());
        }
        let effects = parts.iter().map(|part| {
            let body = part.opening(entry, &settings)?;
            Ok(Effect::new(format!("part-{}", part.number), "open-entry", body))
        });
        let effects = effects.collect::<Result<Vec<_>, Failure>>()?;
        if settings.wait {
            return Ok(children::wait(effects).into());
        }
        let produced = Produced::new(format!("an effort of {effort} in {count} parts")).data(data)?;
        Ok(effects.into_iter().fold(produced, Produced::effect).into())
    }
}

/// What is handed on of the parts: the entry itself where it stays whole.
fn told(entry: &Entry, parts: &[Part<'_>]) -> Vec<Value> {
    let title = |part: &Part<'_>| if part.of == 1 { entry.title.clone() } else { part.title(entry) };
    let told = parts.iter().map(|part| {
        json!({ "title": title(part), "effort": number(part.effort), "criteria": part.criteria.len() })
    });
    told.collect()
}

stage!(Split);
