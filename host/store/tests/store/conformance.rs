//! What every store must do. Each store runs the same cases: a case is a function from a factory of empty stores.

mod adoption;
mod budgets;
mod cancels;
mod caps;
pub(crate) mod children;
mod escalations;
mod intake;
mod journal;
mod likeness;
pub(crate) mod opening;
mod outbox;
mod policies;
mod rebuild;
mod refine;
mod rescore;
pub(crate) mod runs;
mod sources;
pub(crate) mod together;
mod waits;

use std::pin::Pin;

use crate::support::{Make, block_on};

/// What every store must do: a case.
type Case = for<'m> fn(&'m Make<'m>) -> Pin<Box<dyn Future<Output = ()> + 'm>>;

fn exercise(make: &Make<'_>, case: Case) {
    block_on(case(make));
}

/// Makes a test of each case for a store.
macro_rules! exercise {
    ($($module:ident: $($case:ident,)*;)*) => {
        mod in_plain_maps {
            $($(
                #[test]
                fn $case() {
                    let make = |clock| Box::new(crate::memory::empty(clock)) as _;
                    super::exercise(&make, |make| Box::pin(super::$module::$case(make)));
                }
            )*)*
        }

        mod sqlite_in_memory {
            $($(
                #[test]
                fn $case() {
                    let make = |clock| Box::new(crate::sqlite::in_memory(clock)) as _;
                    super::exercise(&make, |make| Box::pin(super::$module::$case(make)));
                }
            )*)*
        }

        mod postgres {
            $($(
                #[test]
                fn $case() {
                    let make = |clock| Box::new(crate::postgres::fresh(clock)) as _;
                    super::exercise(&make, |make| Box::pin(super::$module::$case(make)));
                }
            )*)*
        }

        mod sqlite_in_a_file {
            $($(
                #[test]
                fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    let make = |clock| Box::new(crate::sqlite::in_file(&folder, clock)) as _;
                    super::exercise(&make, |make| Box::pin(super::$module::$case(make)));
                    crate::check::everything_agrees(&crate::sqlite::file_in(&folder));
                }
            )*)*
        }
    };
}

exercise! {
    policies:
        a_new_policy_pins_new_runs_only,
        what_an_older_policy_made_of_an_item_is_not_begun,
        what_an_older_policy_made_of_an_entry_changes_nothing,
        what_an_older_policy_made_of_an_opening_is_judged_again,
    ;
    refine:
        an_entry_is_refined_judged_again_and_then_worked_on,
        what_waits_to_be_refined_is_listed_once,
        what_is_to_be_judged_is_not_claimed_before,
        refining_is_no_work_on_a_text,
        what_becomes_known_while_a_source_is_read_is_not_lost,
        what_was_set_since_it_was_judged_comes_first,
        what_could_not_be_refined_waits_for_a_person,
    ;
    rescore:
        what_is_due_is_told_by_numbers,
        what_moves_stands_where_it_did_until_it_is_put_in_order,
        what_stands_elsewhere_is_claimed_once,
        what_becomes_of_an_entry_meanwhile_stands,
        what_is_rescored_again_before_it_is_in_order_goes_where_it_was_judged_last,
        what_waits_for_another_moves_as_well,
        what_is_out_of_date_is_not_written,
        what_a_host_left_behind_is_found_and_put_in_order,
    ;
    runs:
        an_entry_goes_from_arrival_to_delivered_record,
        a_claim_takes_the_smallest_rank_key_and_begun_runs_first,
        lanes_take_turns_and_save_up_nothing,
        what_began_in_a_lane_that_the_policy_has_no_more_goes_on,
        what_is_left_is_told_to_whom_nothing_is_left_for,
        only_named_entries_are_claimed_when_some_are_named,
        a_claim_whose_answer_was_lost_is_given_again,
        a_stale_fence_changes_nothing,
        events_that_are_packed_are_read_as_before,
        a_lease_that_is_renewed_does_not_lapse,
        a_host_that_is_heard_of_again_did_not_vanish,
        a_write_is_all_or_nothing,
        a_wait_for_what_has_happened_is_no_wait,
        how_a_run_ends_is_how_its_entry_stands,
        hosts_that_were_asked_to_stop_begin_nothing,
    ;
    together:
        lanes_take_turns_among_claims_at_once,
        caps_hold_among_claims_at_once,
        a_begun_run_is_among_claims_at_once,
        what_a_run_pays_for_is_among_claims_at_once,
        a_claim_that_is_repeated_among_others_is_given_again,
        a_stale_write_harms_no_other,
        a_write_that_is_refused_harms_no_other,
        writes_of_every_kind_at_once_do_what_they_do_alone,
    ;
    journal:
        an_answer_is_settled_when_it_comes,
        an_answer_that_is_lost_is_charged_at_its_largest,
        what_was_answered_or_was_something_else_is_not_asked_again,
        a_stale_driver_journals_nothing,
        what_nobody_began_is_taken_back_and_costs_nothing,
        an_intent_that_no_cap_has_room_for_changes_nothing,
        an_answer_that_costs_more_than_was_set_aside_is_an_overdraft,
        a_run_that_asks_waits_until_a_person_answers,
        a_history_is_of_calls_that_ended_well,
    ;
    escalations:
        what_waits_for_a_person_is_listed_from_the_longest_on,
    ;
    likeness:
        what_is_a_duplicate_is_so_however_arrivals_are_dealt_out,
    ;
    waits:
        an_event_is_found_at_whatever_moment_it_comes,
        an_event_ends_a_wait_once,
        time_ends_a_wait_or_lets_it_expire,
        a_person_answers_a_wait_once,
        what_cannot_happen_is_refused,
    ;
    children:
        a_wait_ends_with_the_last_child_whenever_and_however_it_ends,
        a_child_that_waits_for_a_person_is_not_over,
        whoever_opened_nothing_does_not_wait,
        a_wait_for_children_expires,
        what_is_found_is_waited_for_where_it_is_a_child,
        what_is_still_to_be_opened_is_waited_for,
        what_a_named_entry_opens_is_named_with_it,
    ;
    budgets:
        children_together_stay_within_the_budget_of_their_parent,
        a_child_that_needs_more_waits_for_its_parents_money,
        what_was_begun_and_cannot_be_paid_for_waits,
        a_wait_for_money_ends_once,
        what_grandchildren_cost_counts_all_the_way_up,
        a_parent_has_what_its_children_leave,
        what_a_parent_gives_back_its_children_have,
        what_a_run_that_is_over_could_not_pay_for,
    ;
    cancels:
        a_run_is_cancelled_wherever_it_stands,
        a_host_is_told_of_its_own_runs_alone,
        to_end_a_run_needs_no_money,
        all_that_a_run_led_to_is_cancelled_with_it,
        what_a_cancelled_run_asked_for_outside_is_withheld,
    ;
    intake:
        an_arrival_that_brings_nothing_new_changes_nothing,
        a_hold_of_the_policy_keeps_an_entry_until_it_is_lifted,
        an_entry_whose_time_comes_is_ready_by_itself,
        dependencies_hold_and_lift,
        a_dependency_is_satisfied_by_its_rule,
        entries_that_wait_for_each_other_say_so,
        a_key_that_an_alias_changed_is_told_as_written,
        an_edit_during_a_run_changes_nothing_but_is_remembered,
        what_a_change_means_for_an_entry_that_is_over,
        an_entry_that_was_done_does_not_satisfy_itself,
        a_text_that_goes_to_and_fro_is_given_to_a_person,
        what_is_absent_twice_is_gone_and_can_come_back,
        what_was_seen_by_a_later_reading_is_not_forgotten,
        what_cannot_be_read_is_not_gone_and_what_is_gone_is,
        scores_that_are_due_get_new_places,
        many_that_are_due_are_where_they_are_told,
        what_had_begun_is_known_for_every_moment,
        an_entry_without_a_lane_is_judged_again_when_it_is_due,
        what_a_run_itself_changes_is_no_change,
        a_key_that_two_trackers_have_must_be_told_apart,
        pages_together_are_the_whole_list,
    ;
    sources:
        a_key_of_another_source_is_found_whenever_it_comes,
        who_comes_back_means_itself_and_no_other_of_its_key,
        a_key_of_several_other_sources_holds_until_one_is_left,
        another_backlog_is_another_world,
    ;
    opening:
        an_entry_of_one_fingerprint_is_opened_once,
        a_chain_of_openings_ends_at_its_depth,
        what_a_person_says_of_an_entry_keeps_who_opened_it,
        what_exceeds_a_rate_is_let_in_when_there_is_room,
        what_stood_in_a_source_before_it_was_read_in_full_does_not_count,
        a_flood_of_one_author_is_in_nobody_elses_way,
        what_tollgate_wrote_is_held_until_a_person_lets_it_in,
        runs_that_one_entry_led_to_open_so_many_entries,
        an_entry_that_says_nearly_what_an_earlier_one_says_is_held,
    ;
    outbox:
        deliveries_to_one_entry_are_in_order,
        a_delivery_that_failed_is_tried_again_before_later_ones,
        a_delivery_whose_host_died_is_ambiguous,
        a_delivery_that_nobody_began_is_as_it_was,
        a_delivery_that_was_taken_again_is_no_longer_who_had_its_first,
        a_run_wakes_when_the_last_of_its_effects_is_settled,
        an_entry_is_found_where_its_run_left_it,
        what_is_delivered_after_the_end_does_not_change_the_chain,
        a_published_file_knows_what_was_published_there_before,
    ;
    adoption:
        an_adopted_entry_is_done_and_lifts_what_waits_for_it,
        what_is_worked_on_gone_or_edited_is_not_adopted,
        an_adopted_entry_comes_back_as_one_that_was_worked_on,
    ;
    rebuild:
        what_records_tell_is_over_before_it_can_be_claimed,
        what_is_recorded_twice_was_done_once,
        what_a_record_cost_counts_in_the_period_in_which_it_ended,
        what_does_not_verify_waits_for_a_person,
        what_changed_since_its_record_is_for_the_backlog_to_say,
    ;
    caps:
        a_cap_without_room_changes_nothing_and_says_until_when,
        what_is_not_spent_goes_back_whenever_a_run_rests,
        money_belongs_to_the_period_in_which_it_was_set_aside,
        a_cap_on_a_plugin_counts_that_plugin_alone,
        what_costs_nothing_needs_no_room,
    ;
}
