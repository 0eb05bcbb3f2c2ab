//! A gate that does nothing: what is measured with it is the price of the call.

use tollgate_plugin::{Context, Failure, Gate, Judgement, Outcome, Verdict, gate};

/// Takes any settings and lets everything pass.
struct Idle;

impl Gate for Idle {
    type Settings = serde::de::IgnoredAny;

    fn check(_ctx: &Context, _settings: Self::Settings) -> Result<Outcome<Verdict>, Failure> {
        Ok(Verdict::new(Judgement::Pass, "nothing to judge").into())
    }
}

gate!(Idle);
