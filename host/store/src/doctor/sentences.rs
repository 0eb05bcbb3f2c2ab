//! What must be so of the rows of a store at every commit, whichever database it is in.

use std::sync::OnceLock;

use crate::sql::Query;

/// A sentence that must hold.
#[derive(Debug, Clone, Copy)]
pub struct Sentence {
    /// The sentence; fits after “it is not so that”.
    pub text: &'static str,
    /// Each row that it finds contradicts the sentence. Its first column says what the row is about: `entry_id`, `run_seq`, or else.
    query: &'static str,
    /// The query in the words of each database, once it was asked for.
    told: &'static OnceLock<Query>,
}

/// What a row is about that contradicts a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Entry,
    Run,
    /// Nothing smaller.
    Store,
}

impl Subject {
    const NAMED: [Self; 2] = [Self::Entry, Self::Run];

    /// The column with its number.
    pub(super) fn column(self) -> Option<&'static str> {
        match self {
            Self::Entry => Some("entry_id"),
            Self::Run => Some("run_seq"),
            Self::Store => None,
        }
    }
}

/// What SQLite counts in one place, and PostgreSQL a share for each connection.
const SHARED: &[(&str, &str, &str)] = &[
    (
        "{lane}",
        "lane",
        "(SELECT lane.id, coalesce(sum(lane_share.waiting), 0) AS waiting
          FROM lane LEFT JOIN lane_share ON lane_share.lane_id = lane.id GROUP BY lane.id) AS lane",
    ),
    (
        "{coverage}",
        "coverage",
        "(SELECT backlog, state, held_for, adopted, CAST(sum(entries) AS bigint) AS entries
          FROM coverage GROUP BY 1, 2, 3, 4) AS coverage",
    ),
];

macro_rules! sentences {
    ($($file:literal: $text:literal;)*) => {
        /// All of them.
        pub const SENTENCES: &[Sentence] =
            &[$({
                static TOLD: OnceLock<Query> = OnceLock::new();
                Sentence { text: $text, query: include_str!(concat!("../../sql/doctor/", $file, ".sql")), told: &TOLD }
            }),*];
    };
}

sentences! {
    "ready_entry_lost": "an entry that is ready has a row in the ready index";
    "begun_run_lost": "a running run that nobody drives has a row in the ready index";
    "ready_row_astray": "the ready index has nothing else";
    "ready_entry_twice": "no entry stands in the ready index twice";
    "ready_out_of_order": "entries stand at their places, but for those that somebody is putting in order";
    "signal_nobody_waits": "who listens for a signal waits as a call of it asked";
    "children_nobody_waits": "who waits for its children has one that is not over, or is to be opened";
    "family_cost": "what a run opened counts with it, and with those above it";
    "unfunded_payer": "who waits for money has a live run that pays, and is not in the ready index";
    "lane_count": "lanes count what waits in them";
    "coverage_count": "coverage counts entries";
    "coverage_surplus": "coverage counts nothing else";
    "hold_and_state": "of the entries that were judged and wait, those with a hold are held";
    "busy_and_run": "an entry is busy as long as a run of it is alive";
    "dependency_and_hold": "unsatisfied dependencies hold, and no others";
    "cap_exceeded": "no cap is exceeded";
    "cap_escrow": "a cap's escrow is what runs have set aside";
    "run_escrow": "what a run has set aside is in the project's cap";
    "idle_escrow": "a run that nobody drives has nothing set aside";
    "cap_settled": "what was settled is what steps cost, and attempts that have not ended";
    "record_of_run": "a run that is over has one record, and no other run has one";
    "run_cost": "a run costs what was settled for it";
    "backlog_cost": "a backlog has cost what its runs have";
    "chain_head": "a run's chain ends with its newest event";
    "journal_open": "an answer is awaited only by whoever drives the run";
    "ask_and_state": "only waiting runs ask";
    "inbox_unapplied": "what was sent to a run is applied by whoever drives it";
    "cancel_and_wait": "a run that was cancelled waits for nothing, unless somebody cleans up after it";
    "wait_without_end": "a run that waits has something to wait for";
    "wake_and_state": "only waiting runs have wakes";
    "delivery_order": "deliveries to an entry are settled in order";
    "wake_delivered": "nobody waits for what was delivered";
    "wake_said": "nobody waits for what was said since";
    "delivery_body": "what is delivered is there as well as that it is";
    "entry_item": "what a source said of an entry is kept";
    "run_pins": "what a run works on and with is kept";
}

impl Sentence {
    /// The query, for either database.
    pub(super) fn query(&self) -> Query {
        // Queries are part of the program. These are put together, once each.
        *self
            .told
            .get_or_init(|| Query { sqlite: self.in_sqlite().leak(), postgres: self.in_postgres().leak() })
    }

    /// What the rows that it finds are about, by what their first column is called.
    pub(super) fn subject(&self) -> Subject {
        let columns = self.query.lines().find_map(|line| line.strip_prefix("SELECT")).unwrap_or_default();
        let (column, _) = columns.split_once(" FROM ").unwrap_or((columns, ""));
        let first = column.split(',').next().unwrap_or_default();
        let is_named = |subject: &Subject| subject.column().is_some_and(|name| first.ends_with(name));
        Subject::NAMED.into_iter().find(is_named).unwrap_or(Subject::Store)
    }

    /// The query in the words of SQLite.
    fn in_sqlite(&self) -> String {
        SHARED.iter().fold(self.query.to_owned(), |text, (name, here, _)| text.replace(name, here))
    }

    /// The query in the words of PostgreSQL.
    pub fn in_postgres(&self) -> String {
        SHARED.iter().fold(self.query.to_owned(), |text, (name, _, there)| text.replace(name, there))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_is_a_sentence_and_says_the_same() {
        for sentence in SENTENCES {
            let first = sentence.query.lines().next().unwrap();
            assert_eq!(first, format!("-- Each row contradicts: {}.", sentence.text));
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/doctor");
        let files =
            fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let queries = SENTENCES.iter().map(|sentence| sentence.query.to_owned());
        assert_eq!(files.collect::<BTreeSet<_>>(), queries.collect());
    }
}
