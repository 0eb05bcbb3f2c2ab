//! The only crate that speaks to trackers and sources; the words of the write-back.
