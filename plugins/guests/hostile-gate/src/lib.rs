//! A gate that judges as its settings say.

use serde::Deserialize;
use tollgate_plugin::{Context, Failure, Finding, Gate, Judgement, Outcome, Severity, Verdict, gate};

/// `{"judge": "fail"}` or `{"judge": {"fail-until-round": 2}}`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    judge: Judge,
}

/// What to say.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Judge {
    /// Pass.
    #[default]
    Pass,
    /// Fail, with one finding.
    Fail,
    /// Say neither.
    Inconclusive,
    /// Contradict oneself.
    PassWithErrorFinding,
    /// Fail until the work has been sent back this often, and pass from then on.
    FailUntilRound(u32),
    /// Panic, which the SDK logs before it traps.
    Trap,
    /// Fail as a call, with a class and no verdict.
    Refuse,
}

/// What answers the host.
struct Hostile;

impl Gate for Hostile {
    type Settings = Settings;

    fn check(ctx: &Context, settings: Settings) -> Result<Outcome<Verdict>, Failure> {
        let verdict = match settings.judge {
            Judge::Pass => Verdict::new(Judgement::Pass, "as told"),
            Judge::Fail => failed(),
            Judge::Inconclusive => Verdict::new(Judgement::Inconclusive, "as told"),
            Judge::PassWithErrorFinding => Verdict { judgement: Judgement::Pass, ..failed() },
            Judge::FailUntilRound(round) if rounds(ctx) < round => failed(),
            Judge::FailUntilRound(_) => Verdict::new(Judgement::Pass, "sent back often enough"),
            Judge::Trap => panic!("as the settings say"),
            Judge::Refuse => return Err(Failure::permanent("as the settings say")),
        };
        Ok(verdict.into())
    }
}

fn failed() -> Verdict {
    Verdict::of(vec![Finding::new("TEST-001", Severity::Error, "the settings say so")], "as told")
}

fn rounds(ctx: &Context) -> u32 {
    ctx.rework().iter().map(|rework| rework.round).max().unwrap_or(0)
}

gate!(Hostile);
