//! Where artifacts are kept, as the sandbox and the deliverer use it.
//!
//! Bytes are written when a call hands them on and synced in one go before the transaction that names them, so that a run of
//! cheap steps pays for one sync.

use std::sync::Arc;

use async_trait::async_trait;
use tollgate_core::{
    Digest,
    effect::Effect,
    step::{Step, StepOutcome},
};
use tollgate_sandbox::port::{Artifacts, ArtifactsError};
use tollgate_store::artifacts::{ArtifactError, ArtifactPlace};

use crate::{
    error::{EngineError, Result},
    port::ArtifactStore,
};

/// Artifacts of one store.
pub struct StoredArtifacts {
    place: Arc<dyn ArtifactPlace>,
}

impl StoredArtifacts {
    /// The artifacts that are kept there.
    pub fn new(place: Arc<dyn ArtifactPlace>) -> Self {
        Self { place }
    }
}

/// Makes the artifacts of these steps durable.
pub(crate) async fn sync(artifacts: &dyn ArtifactStore, steps: &[Step]) -> Result<()> {
    let mut digests: Vec<Digest> = steps.iter().flat_map(artifacts_named_by).collect();
    digests.sort();
    digests.dedup();
    if digests.is_empty() {
        return Ok(());
    }
    let failed = |error: ArtifactsError| EngineError::Io {
        doing: "sync artifacts".into(),
        source: std::io::Error::other(error),
    };
    artifacts.sync(digests).await.map_err(failed)
}

fn of_effects(effects: &[Effect]) -> impl Iterator<Item = Digest> {
    effects.iter().filter_map(|effect| effect.body.get("artifact")?.as_str()?.parse().ok())
}

/// Every blob that a step's row names.
pub fn artifacts_named_by(step: &Step) -> Vec<Digest> {
    match &step.outcome {
        StepOutcome::Produced(produced) => {
            let artifacts = produced.artifacts.iter().map(|artifact| artifact.digest);
            artifacts.chain(of_effects(&produced.effects)).collect()
        }
        StepOutcome::Waits(wait) => of_effects(&wait.effects).collect(),
        StepOutcome::Judged(verdict) => verdict.evidence.iter().map(|artifact| artifact.digest).collect(),
        StepOutcome::Failed(_) | StepOutcome::NotApplicable(_) => Vec::new(),
    }
}

#[async_trait]
impl Artifacts for StoredArtifacts {
    async fn read(&self, digest: Digest) -> std::result::Result<Option<Arc<[u8]>>, ArtifactsError> {
        match self.place.read(digest).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(ArtifactError::Missing { .. }) => Ok(None),
            Err(error) => Err(ArtifactsError(error.to_string())),
        }
    }

    async fn write(&self, digest: Digest, bytes: Arc<[u8]>) -> std::result::Result<(), ArtifactsError> {
        let put = self.place.put(bytes).await.map_err(|error| ArtifactsError(error.to_string()))?;
        debug_assert_eq!(put, digest, "the sandbox names bytes by their digest");
        Ok(())
    }
}

#[async_trait]
impl ArtifactStore for StoredArtifacts {
    async fn sync(&self, digests: Vec<Digest>) -> std::result::Result<(), ArtifactsError> {
        self.place.sync(digests).await.map_err(|error| ArtifactsError(error.to_string()))
    }
}
