//! Where every state change is one transaction: the Store trait and its SQLite implementation.
