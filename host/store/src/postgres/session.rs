//! A connection as the rules see it.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::connection::{Connection, Manner};
use crate::{
    sql::Query,
    tx::{Failure, More, Params, Row, Session, TxResult},
};

impl Session for Connection {
    fn run(&self, query: Query, params: Params<'_>) -> TxResult<usize> {
        let changed = self.execute(query, params)?;
        usize::try_from(changed).map_err(Failure::damaged)
    }

    fn send(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        Self::send(self, query, params)
    }

    fn change_one(&self, query: Query, params: Params<'_>) -> TxResult<bool> {
        // Were it not so, the server would refuse it: see `run_update_if_fence.sql`.
        Self::send(self, query, params).map(|()| true)
    }

    fn foresee(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        Self::foresee(self, query, params)
    }

    fn ask_foreseen(&self) -> TxResult<()> {
        self.settle()
    }

    fn foresee_for_good(&self, query: Query, params: Params<'_>) -> TxResult<()> {
        Self::foresee_for_good(self, query, params)
    }

    fn insert(&self, query: Query, params: Params<'_>) -> TxResult<i64> {
        let rows = self.query(query, params)?;
        let row = rows.first().ok_or_else(|| Failure::damaged("a statement inserted no row"))?;
        // Whatever the number is called in its table, the query calls it so.
        Row(row).plain("id")
    }

    fn rows(
        &self,
        query: Query,
        params: Params<'_>,
        each: &mut dyn FnMut(&Row<'_>) -> TxResult<More>,
    ) -> TxResult<()> {
        for row in self.query(query, params)?.iter() {
            if each(&Row(row))? == More::Enough {
                break;
            }
        }
        Ok(())
    }

    fn free_early(&self) -> TxResult<()> {
        Self::free_early(self);
        Ok(())
    }

    fn is_alone(&self) -> bool {
        matches!(self.manner(), Manner::Alone | Manner::Reading)
    }

    fn slice(&self) -> Option<Duration> {
        Some(SLICE)
    }
}

/// So long at the most those are kept waiting who have to wait for somebody who is alone, where that can be cut.
const SLICE: Duration = Duration::from_millis(20);

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let words: Vec<_> = std::iter::once(error).chain(causes).map(ToString::to_string).collect();
    words.join(": ")
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        // Two that make the same row at once: the other's is there by now, and is found when this is run again.
        let for_another = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
        ];
        // As `run_update_if_fence.sql` has it.
        let is_stale = error.as_db_error().is_some_and(|error| {
            *error.code() == SqlState::NOT_NULL_VIOLATION && error.column() == Some("fence")
        });
        // The error by itself says where it comes from and not what it is.
        let message = error.as_db_error().map_or_else(|| with_causes(&error), ToString::to_string);
        match error.code() {
            Some(code) if is_stale || for_another.contains(code) => Self::Interrupted(message),
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Self::Denied(message),
            _ => Self::Database(message),
        }
    }
}
