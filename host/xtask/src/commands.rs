//! One file a command.

pub(crate) mod plugins;
pub(crate) mod test;
