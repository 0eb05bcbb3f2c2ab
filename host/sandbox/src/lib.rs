//! The only crate that sees wasmtime: engine, budgets, capabilities.
