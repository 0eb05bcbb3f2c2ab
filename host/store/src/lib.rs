//! Where every state change is one transaction.
//!
//! Invariants, held by every implementation and by one suite of tests:
//!
//! * **One transaction.** Each method of [`Store`] that changes something is one transaction: all of it is durable when the
//!   method returns, or none of it ever was.
//! * **The fence.** A method that takes a [`Claim`](tollgate_core::run::Claim) or a delivery's fence changes nothing when the
//!   fence is stale, and says [`StoreError::StaleFence`].
//! * **At most one live run** for each entry and pipeline.
//! * **Order.** A claim takes the smallest rank key of the open lane with the least virtual time, in time that does not depend
//!   on the size of the backlog or on how much is parked.
//! * **The cap.** For every cap at every commit: settled + escrow ≤ limit.
//! * **The chain.** Every event extends the hash chain of its run in the transaction that adds it.
//! * **The store's clock** decides about leases, wakes and periods; a host's own clock decides nothing here.
//!
//! The trait speaks of entries, runs and effects, never of rows or SQL. `sql/` holds one file a query; the names are the same
//! for every store.

pub mod artifacts;
pub mod doctor;
pub mod error;
#[cfg(feature = "memory")]
pub mod memory;
mod pack;
pub mod port;
mod postgres;
mod rules;
mod schema;
mod sql;
mod sqlite;
mod transfer;
mod tx;

pub use error::StoreError;
pub use port::Store;
pub use postgres::{PostgresOptions, PostgresStore};
pub use sqlite::{OpenMode, SqliteOptions, SqliteStore};
