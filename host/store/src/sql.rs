//! Every query by name. The texts are in `sql/sqlite/` and `sql/postgres/`, one file a query, of the same names.

/// A query in the words of each database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    /// Empty for what only PostgreSQL does.
    pub(crate) sqlite: &'static str,
    /// Empty for what only SQLite does.
    pub(crate) postgres: &'static str,
}

impl Query {
    /// Whether the rows that it gives are those that it changed.
    pub(crate) fn gives_back_what_it_changed(self) -> bool {
        [self.sqlite, self.postgres].iter().any(|text| text.contains("RETURNING"))
    }
}

/// Declares a constant for each file, and the list of all of them.
macro_rules! queries {
    (
        both { $($name:ident = $file:literal;)* }
        sqlite { $($sqlite:ident = $sqlite_file:literal;)* }
        postgres { $($postgres:ident = $postgres_file:literal;)* }
    ) => {
        $(pub(crate) const $name: Query = Query {
            sqlite: include_str!(concat!("../sql/sqlite/", $file, ".sql")),
            postgres: include_str!(concat!("../sql/postgres/", $file, ".sql")),
        };)*
        $(pub(crate) const $sqlite: Query = Query {
            sqlite: include_str!(concat!("../sql/sqlite/", $sqlite_file, ".sql")),
            postgres: "",
        };)*
        $(pub(crate) const $postgres: Query = Query {
            sqlite: "",
            postgres: include_str!(concat!("../sql/postgres/", $postgres_file, ".sql")),
        };)*

        /// Every query with the name of its file.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, Query)] =
            &[$(($file, $name),)* $(($sqlite_file, $sqlite),)* $(($postgres_file, $postgres)),*];
    };
}

queries! {
    both {
        ADOPTION_EXISTS = "adoption_exists";
        ADOPTION_INSERT = "adoption_insert";
        ADOPTION_LIST = "adoption_list";
        ASK_DELETE = "ask_delete";
        ASK_GET = "ask_get";
        ASK_INSERT = "ask_insert";
        ATTEMPT_CHARGE = "attempt_charge";
        ATTEMPT_GET = "attempt_get";
        ATTEMPT_INSERT = "attempt_insert";
        ATTEMPT_LIST = "attempt_list";
        BACKLOG_COST_ADD = "backlog_cost_add";
        BACKLOG_COST_LIST = "backlog_cost_list";
        CAP_CLOSE_ALL = "cap_close_all";
        CAP_LIST_ACTIVE = "cap_list_active";
        CAP_PERIOD_GET = "cap_period_get";
        CAP_PERIOD_PUT = "cap_period_put";
        CAP_PUT = "cap_put";
        CHILD_GET_OPEN = "child_get_open";
        CHILD_INSERT = "child_insert";
        CHILD_LIST = "child_list";
        CHILD_LIST_BELOW = "child_list_below";
        CONTROL_DELETE = "control_delete";
        CONTROL_GET = "control_get";
        CONTROL_PUT = "control_put";
        COVERAGE_LIST = "coverage_list";
        DECISION_INSERT = "decision_insert";
        ENTRY_FORGET_ARRIVAL = "entry_forget_arrival";
        ENTRY_GET = "entry_get";
        ENTRY_GET_BY_ID = "entry_get_by_id";
        ENTRY_GET_CLAIMABLE = "entry_get_claimable";
        ENTRY_INSERT = "entry_insert";
        ENTRY_LINE_COUNT = "entry_line_count";
        ENTRY_LINE_LIST = "entry_line_list";
        ENTRY_LINE_LIST_READY = "entry_line_list_ready";
        ENTRY_LINE_LIST_BY_ID = "entry_line_list_by_id";
        ENTRY_LINE_LIST_BY_KEY = "entry_line_list_by_key";
        ENTRY_LIST_ABSENT = "entry_list_absent";
        ENTRY_LIST_DEPENDANTS = "entry_list_dependants";
        ENTRY_LIST_DUE = "entry_list_due";
        ENTRY_LIST_DUE_BY_NUMBER = "entry_list_due_by_number";
        ENTRY_LIST_FIRST_SEEN = "entry_list_first_seen";
        ENTRY_LIST_ITEMS = "entry_list_items";
        ENTRY_LIST_NAMES = "entry_list_names";
        ENTRY_SET_ADOPTED = "entry_set_adopted";
        ENTRY_SET_ADOPTED_REVISION = "entry_set_adopted_revision";
        ENTRY_SET_BUSY = "entry_set_busy";
        ENTRY_SET_REBUILT = "entry_set_rebuilt";
        ENTRY_SET_REFINING = "entry_set_refining";
        ENTRY_SET_REVISION = "entry_set_revision";
        ENTRY_SET_STATE = "entry_set_state";
        ENTRY_SET_URL = "entry_set_url";
        ENTRY_SET_WORKED = "entry_set_worked";
        ENTRY_UPDATE = "entry_update";
        ESCALATION_COUNT = "escalation_count";
        ESCALATION_LIST = "escalation_list";
        ESCROW_ADD = "escrow_add";
        ESCROW_DELETE = "escrow_delete";
        ESCROW_LIST = "escrow_list";
        ESCROW_TAKE = "escrow_take";
        EVENT_DELETE = "event_delete";
        EVENT_INSERT = "event_insert";
        EVENT_LIST = "event_list";
        EVENT_PACK_GET = "event_pack_get";
        EVENT_PACK_INSERT = "event_pack_insert";
        FAMILY_ADD = "family_add";
        FAMILY_GET = "family_get";
        FAMILY_GET_SHORT = "family_get_short";
        FAMILY_INSERT = "family_insert";
        FAMILY_RAISE = "family_raise";
        HISTORY_LIST = "history_list";
        HOLD_DELETE_DUE = "hold_delete_due";
        HOLD_DELETE_OF_BUDGET = "hold_delete_of_budget";
        HOLD_DELETE_OF_DEPENDENCIES = "hold_delete_of_dependencies";
        HOLD_DELETE_OF_GUARD = "hold_delete_of_guard";
        HOLD_DELETE_OF_PARENT = "hold_delete_of_parent";
        HOLD_DELETE_OF_PERSON = "hold_delete_of_person";
        HOLD_DELETE_OF_POLICY = "hold_delete_of_policy";
        HOLD_GET_FIRST = "hold_get_first";
        HOLD_INSERT = "hold_insert";
        HOLD_KEEP = "hold_keep";
        HOLD_KEEPS_UNREFINED = "hold_keeps_unrefined";
        HOLD_LIST = "hold_list";
        HOST_DELETE = "host_delete";
        HOST_LIST = "host_list";
        HOST_LIST_DRIVING = "host_list_driving";
        HOST_LIST_OLDER = "host_list_older";
        HOST_PUT = "host_put";
        HOST_REGISTER = "host_register";
        INBOX_APPLY = "inbox_apply";
        INBOX_GET_CANCEL = "inbox_get_cancel";
        INBOX_GET_OPEN_CANCEL = "inbox_get_open_cancel";
        INBOX_INSERT = "inbox_insert";
        INBOX_LIST_APPLIED = "inbox_list_applied";
        INBOX_LIST_CANCELLED = "inbox_list_cancelled";
        INBOX_LIST_DECISIONS = "inbox_list_decisions";
        INBOX_LIST_OPEN = "inbox_list_open";
        INTAKE_COUNT_AROUND = "intake_count_around";
        INTAKE_DELETE_BEFORE = "intake_delete_before";
        INTAKE_GET_NTH_NEWEST = "intake_get_nth_newest";
        INTAKE_INSERT = "intake_insert";
        JOURNAL_ANSWER = "journal_answer";
        JOURNAL_GET = "journal_get";
        JOURNAL_LIST = "journal_list";
        JOURNAL_LIST_OPEN = "journal_list_open";
        JOURNAL_LOSE = "journal_lose";
        JOURNAL_PUT = "journal_put";
        JOURNAL_WITHDRAW = "journal_withdraw";
        LANE_CLOSE_ALL = "lane_close_all";
        LANE_EXISTS = "lane_exists";
        LANE_EXPORT = "lane_export";
        LANE_IMPORT = "lane_import";
        LANE_INSERT_CLOSED = "lane_insert_closed";
        LANE_LIST_OPEN = "lane_list_open";
        LANE_LIST_WAITING = "lane_list_waiting";
        LANE_PUT = "lane_put";
        LANE_SERVE = "lane_serve";
        LATE_INSERT = "late_insert";
        LATE_LIST = "late_list";
        LINK_DELETE = "link_delete";
        LINK_INSERT = "link_insert";
        LINK_LIST = "link_list";
        LINK_LIST_WAITING = "link_list_waiting";
        LOST_HOST_DELETE = "lost_host_delete";
        LOST_HOST_INSERT = "lost_host_insert";
        MIGRATION_INSERT = "migration_insert";
        MIGRATION_NEWEST = "migration_newest";
        MIGRATION_TABLE = "migration_table";
        OPENED_COUNT_OF_ORIGIN = "opened_count_of_origin";
        OPENED_GET = "opened_get";
        OPENED_GET_BY_FINGERPRINT = "opened_get_by_fingerprint";
        OPENED_INSERT = "opened_insert";
        OPENED_LIST_CHILDREN = "opened_list_children";
        OPENED_LIST_ITEMS = "opened_list_items";
        OPEN_WORK_GET = "open_work_get";
        OUTBOX_BODY_INSERT = "outbox_body_insert";
        OUTBOX_BODY_INSERT_OF = "outbox_body_insert_of";
        OUTBOX_GET = "outbox_get";
        OUTBOX_GET_BY_REFERENCE = "outbox_get_by_reference";
        OUTBOX_GET_PREVIOUS_ARTIFACT = "outbox_get_previous_artifact";
        OUTBOX_GET_RECORD = "outbox_get_record";
        OUTBOX_GET_SENT = "outbox_get_sent";
        OUTBOX_GIVE_BACK_IF_FENCE = "outbox_give_back_if_fence";
        OUTBOX_INSERT = "outbox_insert";
        OUTBOX_INSERT_ADOPTED = "outbox_insert_adopted";
        OUTBOX_INSERT_ADOPTED_SETTLED = "outbox_insert_adopted_settled";
        OUTBOX_INSERT_KEPT = "outbox_insert_kept";
        OUTBOX_INSERT_SETTLED = "outbox_insert_settled";
        OUTBOX_LAPSE = "outbox_lapse";
        OUTBOX_LEAVES = "outbox_leaves";
        OUTBOX_LEFT_SINCE = "outbox_left_since";
        OUTBOX_LIST_EFFECTS = "outbox_list_effects";
        OUTBOX_LIST_TAKABLE = "outbox_list_takable";
        OUTBOX_NEXT_IDS = "outbox_next_ids";
        OUTBOX_RETRY_IF_FENCE = "outbox_retry_if_fence";
        OUTBOX_SETTLE = "outbox_settle";
        OUTBOX_SET_SENDING = "outbox_set_sending";
        OUTBOX_WITHHOLD = "outbox_withhold";
        PINS_GET = "pins_get";
        PINS_INSERT = "pins_insert";
        PLACE_DELETE = "place_delete";
        PLACE_GET = "place_get";
        PLACE_LIST_DISPLACED = "place_list_displaced";
        PLACE_MAKE_DUE = "place_make_due";
        PLACE_MOVE = "place_move";
        PLACE_PUT = "place_put";
        PLACE_SET_DUE = "place_set_due";
        PLUGIN_VERSION_GET_NAME = "plugin_version_get_name";
        PLUGIN_VERSION_INSERT = "plugin_version_insert";
        POLICY_GET_APPLIED = "policy_get_applied";
        POLICY_GET_VERSION = "policy_get_version";
        POLICY_INSERT = "policy_insert";
        PRIOR_DELETE = "prior_delete";
        PRIOR_DELETE_OF_KEY = "prior_delete_of_key";
        PRIOR_INSERT = "prior_insert";
        PRIOR_LIST = "prior_list";
        PRIOR_READING_GET = "prior_reading_get";
        PRIOR_READING_PUT = "prior_reading_put";
        READY_COUNT_AHEAD = "ready_count_ahead";
        READY_DELETE = "ready_delete";
        READY_DELETE_ELSEWHERE = "ready_delete_elsewhere";
        READY_DELETE_ENTRY = "ready_delete_entry";
        READY_GET_HEAD = "ready_get_head";
        READY_INSERT = "ready_insert";
        READY_LIST_ITEMS = "ready_list_items";
        READY_MOVE = "ready_move";
        READY_STANDS = "ready_stands";
        RECONCILE_END = "reconcile_end";
        RECONCILE_GET = "reconcile_get";
        RECONCILE_GET_COMPLETE_BEFORE = "reconcile_get_complete_before";
        RECONCILE_INSERT = "reconcile_insert";
        RESCORING_BEGIN = "rescoring_begin";
        RESCORING_END = "rescoring_end";
        RESCORING_LIST_LAPSED = "rescoring_list_lapsed";
        RESCORING_RENEW = "rescoring_renew";
        RUN_CLAIM = "run_claim";
        RUN_CLAIM_ONLY = "run_claim_only";
        RUN_COUNT_OF_REVISION = "run_count_of_revision";
        RUN_COUNT_REFINING = "run_count_refining";
        RUN_EXISTS = "run_exists";
        RUN_GET = "run_get";
        RUN_GET_BY_SEQ = "run_get_by_seq";
        RUN_GET_ID = "run_get_id";
        RUN_GET_NEWEST = "run_get_newest";
        RUN_GET_PAYER = "run_get_payer";
        RUN_GET_TO_CHANGE = "run_get_to_change";
        RUN_INSERT = "run_insert";
        RUN_INSERT_REBUILT = "run_insert_rebuilt";
        RUN_LINE_COUNT = "run_line_count";
        RUN_LINE_GET = "run_line_get";
        RUN_LINE_LIST = "run_line_list";
        RUN_LINE_LIST_OF_ENTRY = "run_line_list_of_entry";
        RUN_LIST_BEGUN = "run_list_begun";
        RUN_LIST_TO_PACK = "run_list_to_pack";
        RUN_LIST_IDS = "run_list_ids";
        RUN_LIST_LAPSED = "run_list_lapsed";
        RUN_LIST_LIVE = "run_list_live";
        RUN_NEXT_SEQS = "run_next_seqs";
        RUN_RENEW_LEASES = "run_renew_leases";
        RUN_SET_HEARD = "run_set_heard";
        RUN_SET_REASON = "run_set_reason";
        RUN_UPDATE_IF_FENCE = "run_update_if_fence";
        SIGHTING_KEEP_UNREAD = "sighting_keep_unread";
        SIGHTING_PUT = "sighting_put";
        SIGNAL_GET_FIRST = "signal_get_first";
        SIGNAL_INSERT = "signal_insert";
        SIMILAR_INSERT = "similar_insert";
        SIMILAR_LIST = "similar_list";
        SNAPSHOT_GET = "snapshot_get";
        SNAPSHOT_INSERT = "snapshot_insert";
        SOURCE_ITEM_GET = "source_item_get";
        SOURCE_ITEM_GET_SHELF = "source_item_get_shelf";
        SOURCE_ITEM_PUT = "source_item_put";
        SOURCE_ITEM_SET_SHELF = "source_item_set_shelf";
        STEP_COUNT = "step_count";
        STEP_INSERT = "step_insert";
        STEP_LIST = "step_list";
        STORE_ABOUT = "store_about";
        STORE_CREATE = "store_create";
        STORE_GET = "store_get";
        STORE_IMPORT = "store_import";
        STORE_IS_EMPTY = "store_is_empty";
        STORE_MOVE = "store_move";
        STORE_SET_SEEN = "store_set_seen";
        STORE_SET_VTIME = "store_set_vtime";
        STORE_STAY = "store_stay";
        SUPPLEMENT_GET = "supplement_get";
        SUPPLEMENT_LIST = "supplement_list";
        SUPPLEMENT_PUT = "supplement_put";
        TRANCHE_LIST = "tranche_list";
        TRANCHE_PUT = "tranche_put";
        UNFUNDED_DELETE = "unfunded_delete";
        UNFUNDED_INSERT = "unfunded_insert";
        UNFUNDED_LIST = "unfunded_list";
        WAIT_DELETE = "wait_delete";
        WAIT_GET = "wait_get";
        WAIT_INSERT = "wait_insert";
        WAKE_CHILDREN_DELETE = "wake_children_delete";
        WAKE_CHILDREN_GET = "wake_children_get";
        WAKE_CHILDREN_INSERT = "wake_children_insert";
        WAKE_CHILDREN_LIST = "wake_children_list";
        WAKE_DELETE = "wake_delete";
        WAKE_DELIVERY_DELETE = "wake_delivery_delete";
        WAKE_DELIVERY_INSERT = "wake_delivery_insert";
        WAKE_DELIVERY_IS_OPEN = "wake_delivery_is_open";
        WAKE_DELIVERY_SETTLE = "wake_delivery_settle";
        WAKE_INSERT = "wake_insert";
        WAKE_LIST_DUE = "wake_list_due";
        WAKE_SIGNAL_DELETE = "wake_signal_delete";
        WAKE_SIGNAL_INSERT = "wake_signal_insert";
        WAKE_SIGNAL_LIST = "wake_signal_list";
    }
    sqlite {
        STORE_COPY = "store_copy";
    }
    postgres {
        CAP_PERIOD_BEGIN = "cap_period_begin";
        CAP_PERIOD_LOCK = "cap_period_lock";
        CLOCK_GET = "clock_get";
        DISK_WAIT = "disk_wait";
        DRIVING_BEGIN = "driving_begin";
        ENCODING_GET = "encoding_get";
        FAMILY_LOCK_LINE = "family_lock_line";
        HINT_CHANNEL = "hint_channel";
        HINT_SEND = "hint_send";
        OUTBOX_LOCK_RUNS = "outbox_lock_runs";
        READY_EXISTS = "ready_exists";
        READY_EXISTS_ONLY = "ready_exists_only";
        RUN_CLAIM_SOME = "run_claim_some";
        RUN_LOCK = "run_lock";
        RUN_RENEW_PASSED_OVER = "run_renew_passed_over";
        SLOT_TAKE = "slot_take";
        WRITING_BEGIN = "writing_begin";
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn sources() -> Vec<(String, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folders = ["doctor", "postgres", "rules", "sqlite", "transfer"]
            .map(|name| fs::read_dir(root.join(name)).unwrap());
        let files =
            folders.into_iter().flatten().map(|file| file.unwrap().path()).filter(|path| path.is_file());
        let files = files.chain(
            ["postgres.rs", "rules.rs", "schema.rs", "sqlite.rs", "transfer.rs"].map(|name| root.join(name)),
        );
        files.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
    }

    /// The names of the files of a folder, and those of the queries that are to be there.
    #[track_caller]
    fn check_files(folder: &str, text: impl Fn(Query) -> &'static str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql").join(folder);
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|path| path.is_file());
        let names: BTreeSet<_> =
            files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let listed = ALL.iter().filter(|(_, query)| !text(*query).is_empty());
        assert_eq!(names, listed.map(|(name, _)| (*name).to_owned()).collect());
    }

    #[test]
    fn every_file_is_a_query_and_every_query_is_used() {
        check_files("sqlite", |query| query.sqlite);
        check_files("postgres", |query| query.postgres);
        let sources = sources();
        for (name, _) in ALL {
            let constant = format!("sql::{}", name.to_uppercase());
            let is_word = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let used = |text: &String| text.split(&constant).skip(1).any(is_word);
            assert!(sources.iter().any(|(_, text)| used(text)), "{constant} is used nowhere");
        }
    }

    #[test]
    fn no_query_hides_in_the_code() {
        // Those that copy tables are made of one list, and those for many of those for one.
        let makes =
            |path: &str| ["transfer/tables.rs", "postgres/many.rs"].iter().any(|made| path.ends_with(made));
        for (path, text) in sources().into_iter().filter(|(path, _)| !makes(path)) {
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for verb in ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE "] {
                let hidden = format!("\"{verb}");
                assert!(!text.contains(&hidden), "{path} has a query that begins with {verb}");
            }
        }
    }
}
