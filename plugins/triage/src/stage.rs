//! The stage's face to its host.

use serde_json::{Value, json};
use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage, stage};
use tollgate_text::Criterion;

use crate::decide::decide;
use crate::settings::Settings;

/// The stage `triage`.
pub struct Triage;

impl Stage for Triage {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        settings.check()?;
        let decision = decide(ctx.entry(), &settings);
        let done = decision.criteria.iter().filter(|criterion| criterion.done).count();
        let summary = format!(
            "{}, impact {}, effort {}, criteria {} ({done} done)",
            decision.kind.as_str(),
            decision.impact,
            decision.effort,
            decision.criteria.len(),
        );
        let data = json!({
            "kind": decision.kind,
            "impact": decision.impact,
            "effort": decision.effort,
            "criteria": decision.criteria.iter().map(criterion).collect::<Vec<_>>(),
            "signals": decision.signals,
        });
        Ok(Produced::new(summary).data(data)?.into())
    }
}

fn criterion(criterion: &Criterion) -> Value {
    json!({
        "text": criterion.text,
        "details": criterion.details,
        "done": criterion.done,
        "form": criterion.form.as_str(),
        "section": criterion.section,
        "line": criterion.line,
    })
}

stage!(Triage);
