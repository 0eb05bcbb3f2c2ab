//! When a file may be taken: when nobody is writing it.
//!
//! A file is still when it was written longer ago than the time to settle, or when it looked the same for that long. The
//! second rule is for files whose time of writing lies in the future, as unpacked archives and wrong clocks make them.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use tollgate_core::Timestamp;

use super::files::Stamp;

/// What was seen of files that are not still yet.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: HashMap<PathBuf, Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    stamp: Stamp,
    since: Timestamp,
}

/// One look at all files: what it does not meet is forgotten.
#[derive(Debug)]
pub(super) struct Round<'w> {
    before: &'w mut Watch,
    now: Timestamp,
    settle: Duration,
    seen: HashMap<PathBuf, Seen>,
}

impl Watch {
    /// Begins to look at all files.
    pub(super) fn begin(&mut self, now: Timestamp, settle: Duration) -> Round<'_> {
        Round { before: self, now, settle, seen: HashMap::new() }
    }
}

impl Round<'_> {
    /// Whether the file may be taken.
    pub(super) fn is_still(&mut self, path: &Path, stamp: Stamp) -> bool {
        if is_old(stamp, self.now, self.settle) {
            return true;
        }
        let same = self.before.seen.get(path).filter(|seen| seen.stamp == stamp);
        let since = same.map_or(self.now, |seen| seen.since);
        self.seen.insert(path.to_owned(), Seen { stamp, since });
        self.now.since(since) >= self.settle
    }

    /// Ends the look.
    pub(super) fn end(self) {
        self.before.seen = self.seen;
    }
}

/// Whether a file was written longer ago than the time to settle.
pub(super) fn is_old(stamp: Stamp, now: Timestamp, settle: Duration) -> bool {
    stamp.modified_at <= now && now.since(stamp.modified_at) >= settle
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(2);

    #[track_caller]
    fn check(looks: &[(i64, i64, u64)], last_is_still: bool) {
        let mut watch = Watch::default();
        let mut still = false;
        for &(now, modified, size_bytes) in looks {
            let stamp = Stamp { modified_at: Timestamp::from_millis(modified), size_bytes };
            let mut round = watch.begin(Timestamp::from_millis(now), SETTLE);
            still = round.is_still(Path::new("a.md"), stamp);
            round.end();
        }
        assert_eq!(still, last_is_still);
    }

    #[test]
    fn a_file_is_taken_when_it_has_been_still() {
        check(&[(10_000, 8_000, 1)], true);
        check(&[(10_000, 8_001, 1)], false);
        check(&[(10_000, 9_000, 1), (11_000, 9_000, 1)], true);
        check(&[(10_000, 9_000, 1), (11_000, 10_500, 2)], false);
    }

    #[test]
    fn a_time_in_the_future_does_not_keep_a_file_out() {
        check(&[(10_000, 99_000, 1)], false);
        check(&[(10_000, 99_000, 1), (11_999, 99_000, 1)], false);
        check(&[(10_000, 99_000, 1), (11_000, 99_000, 1), (12_000, 99_000, 1)], true);
        check(&[(10_000, 99_000, 1), (12_000, 99_000, 2)], false);
    }
}
