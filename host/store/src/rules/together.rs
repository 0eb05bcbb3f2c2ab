//! What several ask at about the same time, done by one transaction.
//!
//! Properties wanted:
//!
//! 1. Each is told what it would have been told by itself, one after the other in some order.
//! 2. None harms another. Whoever is refused changes nothing; where something goes wrong with one of them, or one has to be alone, none
//!    of it is kept, and each is done by itself.
//! 3. It costs the database little more than one of them: all that is going to be asked is said before, so that it is asked together, and
//!    what they write does not depend on what the others write.
//!
//! So only the plain cases are done together: those that are about rows of their own, and share nothing but what nobody changes and what
//! caps count. What is not plain is found before anything of it is written, and done by itself afterwards. Which locks are wanted is known
//! then as well, so all of them are taken in the order in which everybody takes them, and not by one after the other.

use tollgate_core::RunId;

use super::{
    claim, claims,
    tx::{Tx, TxResult},
    write::{self, PreparedWrite},
};
use crate::port::{ClaimOutcome, ClaimRequest};

/// A kind of transaction that several can share.
pub(crate) trait Together: Send + Sync + 'static {
    /// What one of them asks.
    type Member: Send + 'static;
    /// What it is told.
    type Answer: Send + 'static;

    /// A verb, as in `claim a run`.
    fn doing(member: &Self::Member) -> &'static str;

    /// Whether the two can be done by one transaction.
    fn goes_with(one: &Self::Member, other: &Self::Member) -> bool;

    /// Does one by itself.
    fn alone(tx: &Tx<'_>, member: &mut Self::Member) -> TxResult<Self::Answer>;

    /// Does those that are plain, in one transaction. None for each of the others: nothing of it was done.
    fn together(tx: &Tx<'_>, members: &mut [Self::Member]) -> TxResult<Vec<Option<Self::Answer>>>;
}

/// Claims by the workers of a host.
pub(crate) struct Claims;

impl Together for Claims {
    type Member = ClaimRequest;
    type Answer = ClaimOutcome;

    fn doing(_: &ClaimRequest) -> &'static str {
        "claim a run"
    }

    fn goes_with(one: &ClaimRequest, other: &ClaimRequest) -> bool {
        let asks_for_anything = |request: &ClaimRequest| request.only.is_empty() && !request.only_begun;
        asks_for_anything(one)
            && asks_for_anything(other)
            && (&one.host, one.lease, &one.lanes) == (&other.host, other.lease, &other.lanes)
            && one.new_run != other.new_run
    }

    fn alone(tx: &Tx<'_>, request: &mut ClaimRequest) -> TxResult<ClaimOutcome> {
        claim::claim(tx, request)
    }

    fn together(tx: &Tx<'_>, requests: &mut [ClaimRequest]) -> TxResult<Vec<Option<ClaimOutcome>>> {
        claims::claim(tx, requests)
    }
}

/// What drivers did; whether each still had its run.
pub(crate) struct Writes;

impl Together for Writes {
    type Member = PreparedWrite;
    type Answer = bool;

    fn doing(write: &PreparedWrite) -> &'static str {
        write.doing()
    }

    fn goes_with(one: &PreparedWrite, other: &PreparedWrite) -> bool {
        let run = |write: &PreparedWrite| -> RunId { write.claim().run };
        run(one) != run(other)
    }

    fn alone(tx: &Tx<'_>, write: &mut PreparedWrite) -> TxResult<bool> {
        write::write(tx, write)
    }

    fn together(tx: &Tx<'_>, writes: &mut [PreparedWrite]) -> TxResult<Vec<Option<bool>>> {
        write::write_together(tx, writes)
    }
}
