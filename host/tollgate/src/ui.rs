//! What people and programs see.

pub(crate) mod bar;
pub(crate) mod printer;
pub(crate) mod text;

pub(crate) mod explain;
pub(crate) mod progress;
mod quiet_keys;
pub(crate) mod table;

pub(crate) mod json;
