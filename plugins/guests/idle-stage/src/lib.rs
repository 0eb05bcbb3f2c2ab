//! A stage that does nothing: what is measured with it is the price of the call.

use tollgate_plugin::{Context, Failure, Outcome, Produced, Stage, stage};

/// Takes any settings and produces nothing.
struct Idle;

impl Stage for Idle {
    type Settings = serde::de::IgnoredAny;

    fn run(_ctx: &Context, _settings: Self::Settings) -> Result<Outcome, Failure> {
        Ok(Produced::new("nothing to do").into())
    }
}

stage!(Idle);
