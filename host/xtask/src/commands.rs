//! One file a command.

pub(crate) mod bench;
mod binary;
pub(crate) mod foreign;
pub(crate) mod mutants;
pub(crate) mod plugins;
pub(crate) mod schemas;
pub(crate) mod test;
