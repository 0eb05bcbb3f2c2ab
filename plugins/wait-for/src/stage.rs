//! The stage's face to its host.

use tollgate_plugin::{Context, Failure, Outcome, Stage, stage};

use crate::settings::Settings;
use crate::{came, conditions};

/// The stage `wait-for`.
pub struct WaitFor;

impl Stage for WaitFor {
    type Settings = Settings;

    fn run(ctx: &Context, settings: Settings) -> Result<Outcome, Failure> {
        match ctx.woken() {
            Some(woken) => Ok(came::produced(ctx, &woken)?.into()),
            None => Ok(conditions::wait(ctx, &settings)?.into()),
        }
    }
}

stage!(WaitFor);
