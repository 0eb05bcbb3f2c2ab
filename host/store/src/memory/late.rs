//! What drivers bring after they have lost their run: refused, and kept for people to see.

use tollgate_core::{
    late::{Brought, Late},
    run::Claim,
};

use super::state::State;
use crate::{StoreError, port::Result};

impl State {
    /// Refuses a driver, and keeps what it brought where it came too late. Whatever else it is refused for changes nothing.
    pub(super) fn refuse(
        &mut self,
        error: StoreError,
        claim: Claim,
        brought: Option<Brought>,
    ) -> Result<Result<()>> {
        if !matches!(error, StoreError::StaleFence { .. }) {
            return Err(error);
        }
        let (number, at) = (self.run_no(claim.run)?, self.now);
        self.runs[number].late.extend(brought.map(|brought| Late { fence: claim.fence, at, brought }));
        Ok(Err(error))
    }
}
