//! Opens an entry for each part of one that is too large to be worked on as a whole.
//!
//! # What holds
//!
//! * There are as many parts as it takes for none to be larger than the size that is asked for, and no more: the
//!   effort by the size, rounded up.
//! * The efforts of the parts are as even as they can be, and together they are the whole.
//! * Every criterion that is still open is in exactly one part, in the order of the text.
//! * To split the same entry into as many parts again opens nothing.

mod children;
mod effort;
mod part;
pub mod settings;
mod stage;

pub use effort::shares;
pub use stage::Split;
