//! What can be wrong on purpose, to see that it is found out.

/// Something that is wrong in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Flaw {
    /// Nothing.
    #[default]
    None,
    /// The store takes a driver's write whatever fence it names.
    StoreIgnoresFences,
    /// The store never takes back what a vanished host holds.
    StoreForgetsSweeping,
    /// The store says what is left without a look at what could be claimed in that moment.
    StoreForgetsWhatIsReady,
    /// Whoever delivers does not read back what may have been sent.
    TrackerIsNotReadBack,
    /// Records are said to be delivered and are not.
    RecordsAreDropped,
    /// A guest does not hear that its lease has ended.
    GuestsAreNotCut,
}
