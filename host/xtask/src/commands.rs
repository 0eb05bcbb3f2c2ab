//! One file a command.

pub(crate) mod bench;
pub(crate) mod plugins;
pub(crate) mod schemas;
pub(crate) mod test;
