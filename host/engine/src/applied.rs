//! The policy that a host acts on: the applied one, whatever its own files say.
//!
//! Property wanted: hosts of one store judge alike. Each applies its files when it starts. From then on it acts on what was applied
//! last, by whichever host, and says where its own files differ from that. How it runs on its machine (`[instance]`) stays its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use tollgate_policy::{ConfigFile, Policy};
use tollgate_store::port::{AppliedPolicy, PolicyFile};

use crate::{
    error::{EngineError, Result},
    host::Parts,
    judge::Lanes,
    observer::Notice,
    opening,
    rank::Ranker,
    source::Trackers,
};

/// A policy that is applied, and what a host needs to act on it.
#[derive(Clone)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    pub(crate) policy: Arc<Policy>,
    pub(crate) lanes: Lanes,
    pub(crate) trackers: Trackers,
    pub(crate) ranker: Ranker,
}

impl Applied {
    fn new(version: i64, policy: Arc<Policy>, lanes: Lanes, trackers: Trackers) -> Self {
        let ranker = Ranker::new(&policy, lanes.clone());
        Self { version, policy, lanes, trackers, ranker }
    }
}

/// What the host acts on at present.
pub(crate) struct Present(RwLock<Arc<Applied>>);

impl Present {
    /// A host that has just applied what its own files say.
    pub(crate) fn own(parts: &Parts, applied: &AppliedPolicy) -> Arc<Self> {
        let policy = Arc::clone(&parts.policy);
        let (version, lanes, trackers) = (applied.version, Lanes::of(applied), parts.trackers.clone());
        Arc::new(Self(RwLock::new(Arc::new(Applied::new(version, policy, lanes, trackers)))))
    }

    pub(crate) fn applied(&self) -> Arc<Applied> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.applied().policy)
    }

    /// Acts on what was applied since; whether anything was.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unfollowable`] when this host cannot act on it, or a failure of the store. Then it acts on what it did before.
    pub(crate) async fn follow(&self, parts: &Parts) -> Result<bool> {
        let stored = parts.store.applied_policy().await?;
        let Some(stored) = stored.filter(|stored| stored.version > self.applied().version) else {
            return Ok(false);
        };
        let differ = differences(&files(&parts.policy), &stored.files);
        let (policy, trackers) = match differ.is_empty() {
            true => (Arc::clone(&parts.policy), parts.trackers.clone()),
            false => read(parts, &stored).await?,
        };
        let (version, lanes) = (stored.version, Lanes::of(&stored));
        opening::judge_again(&*parts.store, &policy, &lanes).await?;
        let applied = Arc::new(Applied::new(version, policy, lanes, trackers));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = applied;
        parts.observer.notice(&Notice::PolicyFollowed { version, who: stored.who, differ });
        Ok(true)
    }
}

/// The files of a policy, as a store keeps them.
pub(crate) fn files(policy: &Policy) -> Vec<PolicyFile> {
    policy.files().into_iter().map(|ConfigFile { path, text }| PolicyFile { path, text }).collect()
}

/// The policy that others applied, and its trackers.
async fn read(parts: &Parts, stored: &AppliedPolicy) -> Result<(Arc<Policy>, Trackers)> {
    let unfollowable = |reason: String| EngineError::Unfollowable {
        version: stored.version,
        who: stored.who.clone(),
        reason,
    };
    let file = |PolicyFile { path, text }| ConfigFile { path, text };
    let files = stored.files.iter().cloned().map(file).collect();
    let policy = parts.policy.with_files(files).map_err(|found| unfollowable(found.to_string()))?;
    let trackers = parts.trackers.of_policy(&policy).map_err(|error| unfollowable(error.to_string()))?;
    match trackers.claim_ownership(parts.store.id()).await {
        Ok(()) => Ok((Arc::new(policy), trackers)),
        Err(error) => Err(unfollowable(error.to_string())),
    }
}

/// The paths that are in one of these alone, or say something else in the other.
fn differences(ours: &[PolicyFile], theirs: &[PolicyFile]) -> Vec<String> {
    let by_path = |files: &'_ [PolicyFile]| -> BTreeMap<String, String> {
        files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()
    };
    let (ours, theirs) = (by_path(ours), by_path(theirs));
    let mut paths: Vec<_> = ours.keys().chain(theirs.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.retain(|path| ours.get(*path) != theirs.get(*path));
    paths.into_iter().cloned().collect()
}
