//! What the tests of the shipped plugins share.

pub mod item;
mod manifest;

pub use manifest::Manifest;
