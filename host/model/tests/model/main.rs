//! Models over the wire, asked of a provider on this machine.

#[path = "../../../../tests/provider/mod.rs"]
mod provider;

mod faults;
mod support;
mod wires;
