//! The nouns of Tollgate and their rules: data, state machines, arithmetic; no I/O and no async.
