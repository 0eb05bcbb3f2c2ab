//! The sandbox, as the driver calls guests.

use std::sync::Arc;

use async_trait::async_trait;
use tollgate_core::{Digest, step::StepFailure};
use tollgate_sandbox::{Call, CallReport, Grants, Interrupted, Prepared, Sandbox};

use crate::port::{Guest, Guests};

/// A component that was prepared, and the sandbox that did so.
struct Sandboxed {
    sandbox: Sandbox,
    prepared: Prepared,
}

#[async_trait]
impl Guests for Sandbox {
    fn engine_id(&self) -> &str {
        Sandbox::engine_id(self)
    }

    async fn prepare(
        &self,
        digest: Digest,
        component: &[u8],
        grants: Grants,
    ) -> Result<Arc<dyn Guest>, StepFailure> {
        let prepared = Sandbox::prepare(self, digest, Arc::from(component), grants).await;
        let prepared = prepared.map_err(|error| error.to_failure())?;
        Ok(Arc::new(Sandboxed { sandbox: self.clone(), prepared }))
    }
}

#[async_trait]
impl Guest for Sandboxed {
    fn needs_journal(&self) -> bool {
        self.prepared.needs_journal()
    }

    async fn call(&self, call: Call) -> Result<CallReport, Interrupted> {
        self.sandbox.call(&self.prepared, call).await
    }
}
