//! Pauses: what a person is asked when a call used up what it may use, and what earlier calls say of how much more it needs.

use std::time::Duration;

use tollgate_core::{
    Digest, Microcents,
    approval::{Allowance, Ask, Lack, fuel_words, time_words},
    course::Component,
    step::{Fault, StepKey, StepOutcome},
    wait::Wait,
};
use tollgate_sandbox::CallReport;
use tollgate_store::port::{History, NextState, PausedCall, Short, Wake};

use super::{Driven, Journey};
use crate::{error::Result, observer::Notice};

/// What a call used up, if that is why it ended.
pub(super) fn lack(report: &CallReport) -> Option<Lack> {
    match &report.outcome {
        StepOutcome::Failed(failure) if failure.fault == Fault::OutOfFuel => Some(Lack::Fuel),
        StepOutcome::Failed(failure) if failure.fault == Fault::OutOfTime => Some(Lack::Time),
        _ => None,
    }
}

/// What is asked when the budget of a run does not hold what a capability may cost.
pub(super) fn run_budget(step: StepKey, spent: Microcents, limit: Microcents, missing: Microcents) -> Ask {
    let reason = format!(
        "the run has spent {spent} of its budget of {limit}, which leaves too little for what `{}` asks",
        step.name
    );
    let suggested = Allowance { cost: missing, ..Allowance::default() };
    Ask { step, lack: Lack::RunCost, role: None, reason, suggested }
}

impl Journey<'_> {
    /// What is asked when a call used all its fuel or time.
    pub(super) async fn ask(
        &self,
        step: &StepKey,
        lack: Lack,
        plugin: Digest,
        component: &Component<'_>,
    ) -> Result<Ask> {
        let pipeline = &self.pins.pipeline.name;
        let history = self.driver.store.history(pipeline, &step.name, plugin).await?;
        let (reason, suggested) = match lack {
            Lack::Time => of_time(step, component.budget.time, &history),
            _ => of_fuel(step, component.budget.fuel, &history),
        };
        Ok(Ask { step: step.clone(), lack, role: None, reason, suggested })
    }

    /// Waits until there is money in a budget: a person is asked for more of the run's own, which what it opened has used; for another
    /// run's budget it waits by itself.
    pub(super) async fn wait_for_money(self, step: StepKey, short: Short) -> Result<Driven> {
        let Short { room, needed, .. } = short;
        if short.run == self.run.id {
            let ask =
                run_budget(step, self.course.spent(), self.course.cost_limit(), needed.saturating_sub(room));
            return self.pause(ask, None).await;
        }
        // What ended by now is paid from what was set aside, and written with the wait.
        let wake = Wake::Paid((self.escrow + needed).saturating_sub(self.unwritten.cost()));
        self.wait(wake, short.to_string()).await
    }

    /// Waits as a call asked to.
    pub(super) async fn wait_as_asked(mut self, step: &StepKey, wait: &Wait) -> Result<Driven> {
        let (reason, ask) = (wait.to_string(), wait.ask(step));
        self.write(NextState::Wait { wakes: vec![Wake::Asked], reason: reason.clone() }).await?;
        // Of children the store says which of them are not over.
        let reason = match wait.children() {
            Some(_) => self.driver.store.run(self.run.id).await?.summary.reason.unwrap_or(reason),
            None => reason,
        };
        let driven = if ask.is_some() { Driven::Asking } else { Driven::Waiting };
        let (run, key) = (self.run.id, self.run.entry.key.clone());
        self.driver.observer.notice(&Notice::Waiting { run, key, reason, ask });
        Ok(driven)
    }

    /// Leaves the run to a person.
    pub(super) async fn pause(mut self, ask: Ask, call: Option<PausedCall>) -> Result<Driven> {
        let reason = ask.reason.clone();
        let wakes = vec![Wake::Approval(Box::new(ask.clone()))];
        self.write_with(call, NextState::Wait { wakes, reason: reason.clone() }).await?;
        let (run, key) = (self.run.id, self.run.entry.key.clone());
        self.driver.observer.notice(&Notice::Waiting { run, key, reason, ask: Some(ask) });
        Ok(Driven::Asking)
    }
}

fn of_fuel(step: &StepKey, limit: u64, history: &History) -> (String, Allowance) {
    let percentile = |percent| History::percentile(&history.fuel, percent).map(rounded_up);
    let words = Words { what: "fuel", limit: fuel_words(limit), calls: history.calls() };
    let (reason, more) = words.of(step, limit, percentile(50), percentile(90), fuel_words);
    (reason, Allowance { fuel: more, ..Allowance::default() })
}

fn of_time(step: &StepKey, limit: Duration, history: &History) -> (String, Allowance) {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let percentile =
        |percent| History::percentile(&history.time, percent).map(|time| rounded_up(millis(time).max(1)));
    let words = Words { what: "time", limit: time_words(limit), calls: history.calls() };
    let say = |millis| time_words(Duration::from_millis(millis));
    let (reason, more) = words.of(step, millis(limit), percentile(50), percentile(90), say);
    (reason, Allowance { time: Duration::from_millis(more), ..Allowance::default() })
}

/// What the sentences on fuel and time have in common.
struct Words {
    what: &'static str,
    limit: String,
    calls: usize,
}

impl Words {
    /// A sentence on what was used and what is probably needed, and how much more that is: what nine in ten earlier calls needed,
    /// or as much again where that is no help.
    fn of(
        &self,
        step: &StepKey,
        limit: u64,
        median: Option<u64>,
        most: Option<u64>,
        say: impl Fn(u64) -> String,
    ) -> (String, u64) {
        let Self { what, limit: limit_words, calls } = self;
        let used = format!("`{step}` used all its {what}, {limit_words}, before it returned");
        let (Some(median), Some(most)) = (median, most) else {
            let unknown = "no earlier call of it ended well, so how much more it needs is not known";
            return (format!("{used}; {unknown}"), limit);
        };
        let earlier = match calls {
            1 => format!("the one earlier call that ended well needed {}", say(median)),
            calls => format!(
                "of {calls} earlier calls that ended well half needed at most {}, and nine in ten at most {}",
                say(median),
                say(most)
            ),
        };
        if most > limit {
            let more = most - limit;
            return (format!("{used}; {earlier}, so {} more is probably enough", say(more)), more);
        }
        (
            format!(
                "{used}; {earlier}, so this one is out of the ordinary, and how much more it needs is not known"
            ),
            limit,
        )
    }
}

/// The next number of two digits and zeros: more would say more than is known.
fn rounded_up(number: u64) -> u64 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    number.div_ceil(unit).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tollgate_core::pipeline::StepName;

    use super::*;

    fn step() -> StepKey {
        StepKey { name: StepName { stage: "draft".into(), gate: None }, rework: 0, attempt: 1 }
    }

    fn fuel(limit: u64, fuel: Vec<u64>) -> String {
        let history = History { time: vec![Duration::ZERO; fuel.len()], fuel };
        let (reason, suggested) = of_fuel(&step(), limit, &history);
        format!("{reason} ({suggested})")
    }

    #[test]
    fn how_much_more_is_needed_comes_from_what_earlier_calls_needed() {
        assert_snapshot!(fuel(9_000_000, vec![]), @"`draft` used all its fuel, 9M, before it returned; no earlier call of it ended well, so how much more it needs is not known (fuel=9M)");
        assert_snapshot!(fuel(9_000_000, vec![1_234_567]), @"`draft` used all its fuel, 9M, before it returned; the one earlier call that ended well needed 1.3M, so this one is out of the ordinary, and how much more it needs is not known (fuel=9M)");
        assert_snapshot!(fuel(9_000_000, (1..=20).map(|n| n * 200_001).collect()), @"`draft` used all its fuel, 9M, before it returned; of 20 earlier calls that ended well half needed at most 2.1M, and nine in ten at most 3.7M, so this one is out of the ordinary, and how much more it needs is not known (fuel=9M)");
        assert_snapshot!(fuel(1_000_000, (1..=20).map(|n| n * 200_001).collect()), @"`draft` used all its fuel, 1M, before it returned; of 20 earlier calls that ended well half needed at most 2.1M, and nine in ten at most 3.7M, so 2.7M more is probably enough (fuel=2.7M)");
    }

    #[test]
    fn time_is_said_the_same_way() {
        let history =
            History { fuel: vec![1, 1], time: vec![Duration::from_millis(40), Duration::from_secs(3)] };
        let (reason, suggested) = of_time(&step(), Duration::from_secs(2), &history);
        assert_snapshot!(format!("{reason} ({suggested})"), @"`draft` used all its time, 2s, before it returned; of 2 earlier calls that ended well half needed at most 40ms, and nine in ten at most 3s, so 1s more is probably enough (time=1s)");
    }

    #[test]
    fn numbers_are_rounded_up_to_two_digits() {
        for (number, expected) in
            [(0, 0), (7, 7), (99, 99), (101, 110), (1_234_567, 1_300_000), (990_001, 1_000_000)]
        {
            assert_eq!(rounded_up(number), expected);
        }
    }
}
