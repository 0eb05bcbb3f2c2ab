//! Whether a wait that a guest asks for may begin.

use tollgate_core::{
    step::StepFailure,
    wait::{Wait, WakeOn},
};

use super::{Judge, check_bytes, check_count, contract, json, summary};
use crate::{bindings::v0_1::types as wit, budget, capability::Copied as _};

/// The most conditions of a wait.
const CONDITIONS: usize = 100;

impl Judge<'_> {
    pub(super) fn wait(&mut self, asked: wit::Wait) -> Result<Wait, StepFailure> {
        let bytes =
            asked.any.iter().map(|wake| wake.kind.copied_bytes() + wake.body.copied_bytes()).sum::<u64>()
                + asked.reason.copied_bytes()
                + asked.resume.copied_bytes()
                + asked.effects.copied_bytes();
        check_bytes(bytes)?;
        check_count("conditions of a wait", asked.any.len(), CONDITIONS)?;
        check_count("effects", asked.effects.len(), budget::EFFECTS)?;
        let any = asked.any.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
        if any.is_empty() {
            return Err(contract("the plugin waits for nothing: a wait has at least one condition"));
        }
        if any.iter().filter(|wake| wake.asks()).count() > 1 {
            return Err(contract("the plugin asks people for more than one thing: a wait asks for one"));
        }
        Ok(Wait {
            any,
            reason: summary(asked.reason)?,
            resume: json("the wait's `resume`", &asked.resume)?,
            effects: self.effects(asked.effects)?,
            expires: self.expiry(asked.expires)?,
        })
    }

    fn expiry(&self, expires: Option<String>) -> Result<Option<tollgate_core::Timestamp>, StepFailure> {
        let Some(text) = expires else { return Ok(None) };
        let expires = text
            .parse::<tollgate_core::Timestamp>()
            .map_err(|error| contract(format!("the wait's `expires` is no time: {error}")))?;
        let now = self.host.input.now;
        if expires <= now {
            return Err(contract(format!("the wait's `expires` is {expires}, which is over: it is {now}")));
        }
        Ok(Some(expires))
    }
}

fn condition(wake: &wit::Wake) -> Result<WakeOn, StepFailure> {
    let body = json(format!("the body of a wake of kind `{}`", wake.kind), &wake.body)?;
    WakeOn::parse(&wake.kind, &body).map_err(contract)
}
