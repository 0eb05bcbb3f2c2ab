//! The applied policy: lanes, caps, pins.

use std::sync::Arc;

use tollgate_core::{Digest, LaneId, Microcents, ledger::Cap, pins::Pins};

use super::{
    ledger::zone_of,
    not_found,
    state::{KnownCap, Lane, PolicyVersion, State},
};
use crate::port::{self, AppliedPolicy, CapBalanceReport, LaneSpec, PolicyApplication, Result};

impl State {
    pub(super) fn apply_policy(&mut self, application: PolicyApplication) -> Result<AppliedPolicy> {
        application.caps.iter().try_for_each(|cap| zone_of(cap).map(drop))?;
        if let Some(applied) = self.applied_policy()
            && applied.digest == application.digest
            && self.has_lanes(&application.lanes)
            && self.has_caps(&application.caps)
        {
            return Ok(applied);
        }
        let PolicyApplication { digest, who, why, lanes, caps, files } = application;
        self.policies.push(Arc::new(PolicyVersion { digest, who, why, files, at: self.now }));
        for id in self.lanes.those(|lane| lane.open) {
            self.lanes[id].open = false;
        }
        for spec in lanes {
            self.put_lane(spec);
        }
        for number in self.caps.those(|known| known.active) {
            self.caps[number].active = false;
        }
        for cap in caps {
            let same =
                self.caps.those(|known| (&known.cap.scope, known.cap.period) == (&cap.scope, cap.period));
            let known = KnownCap { cap, active: true };
            match same.first() {
                Some(number) => self.caps[*number] = known,
                None => drop(self.caps.insert(known)),
            }
        }
        self.applied_policy().ok_or_else(|| not_found("policy", digest))
    }

    /// Whether another policy is applied than the one of this version.
    pub(super) fn is_outdated(&self, policy_version: i64) -> bool {
        policy_version < self.control().policy
    }

    pub(super) fn applied_policy(&self) -> Option<AppliedPolicy> {
        let newest = self.policies.last()?;
        let open = self.lanes.iter().filter(|(_, lane)| lane.open);
        let lanes = open.map(|(id, lane)| port::Lane {
            id,
            backlog: lane.backlog.clone(),
            pipeline: lane.pipeline.clone(),
            kind: lane.kind,
            pins: lane.pins,
        });
        Some(AppliedPolicy {
            version: self.control().policy,
            digest: newest.digest,
            who: newest.who.clone(),
            why: newest.why.clone(),
            at: newest.at,
            lanes: lanes.collect(),
            files: newest.files.clone(),
        })
    }

    pub(super) fn pins(&self, digest: Digest) -> Result<Arc<Pins>> {
        self.pins.get(&digest).cloned().ok_or_else(|| not_found("set of pins", digest))
    }

    pub(super) fn cap_balances(&self) -> Result<Vec<CapBalanceReport>> {
        let active = self.active_caps()?;
        let report = active.into_iter().map(|active| CapBalanceReport {
            until: active.cap.period.next_begins_at(self.now, &active.zone),
            balance: self.balance(active.number, &active.label),
            cap: active.cap,
            period: active.label,
        });
        Ok(report.collect())
    }

    fn has_lanes(&self, wanted: &[LaneSpec]) -> bool {
        let open: Vec<_> = self.lanes.iter().filter(|(_, lane)| lane.open).map(|(_, lane)| lane).collect();
        let is_open = |spec: &LaneSpec| {
            let pins = spec.pins.digest();
            open.iter().any(|lane| {
                (&lane.backlog, &lane.pipeline, lane.kind, lane.pins)
                    == (&spec.backlog, &spec.pipeline, spec.kind, pins)
                    && self.tranche_of(pins) == spec.tranche
            })
        };
        open.len() == wanted.len() && wanted.iter().all(is_open)
    }

    fn has_caps(&self, wanted: &[Cap]) -> bool {
        let active = self.caps.iter().filter(|(_, known)| known.active);
        let active: Vec<_> = active.map(|(_, known)| &known.cap).collect();
        active.len() == wanted.len() && wanted.iter().all(|cap| active.contains(&cap))
    }

    /// What a claim under these pins sets aside.
    pub(super) fn tranche_of(&self, pins: Digest) -> Microcents {
        self.tranches.get(&pins).copied().unwrap_or_default()
    }

    /// Opens a lane. One that was there before keeps its virtual time.
    fn put_lane(&mut self, spec: LaneSpec) {
        let LaneSpec { backlog, pipeline, kind, pins, tranche } = spec;
        let digest = pins.digest();
        for plugin in pins.plugins.values() {
            self.plugins.entry(plugin.digest).or_insert_with(|| plugin.name.clone());
        }
        self.pins.entry(digest).or_insert_with(|| Arc::new(pins));
        self.tranches.insert(digest, tranche);
        match self.lane_of(&backlog, &pipeline) {
            Some(id) => {
                let lane = &mut self.lanes[id];
                (lane.kind, lane.pins, lane.open) = (kind, digest, true);
            }
            None => {
                let vtime = self.served;
                self.lanes.insert(Lane { backlog, pipeline, kind, pins: digest, open: true, vtime });
            }
        }
    }

    pub(super) fn lane_of(&self, backlog: &str, pipeline: &str) -> Option<LaneId> {
        let same = |lane: &Lane| lane.backlog == backlog && lane.pipeline == pipeline;
        self.lanes.those(same).first().copied()
    }
}
