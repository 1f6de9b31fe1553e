//! What every back end must do: one suite of named cases, run over each of them.
//!
//! A case gets an empty store under [`jobs::Policy::default`]. A back end runs them all, each as a test of its own:
//! ```text
//! async fn open() -> Option<(Arc<dyn Store>, TempDir)> { … }
//! store::conformance!(open);
//! ```

mod attempts;
mod blobs;
mod cluster;
mod endings;
pub(crate) mod fixture;
mod metrics;
mod reads;
mod retention;
mod sources;
mod submits;
mod together;
mod wishes;

pub use attempts::*;
pub use blobs::*;
pub use cluster::Cluster;
pub use endings::*;
pub use metrics::*;
pub use reads::*;
pub use retention::*;
pub use sources::*;
pub use submits::*;
pub use together::*;
pub use wishes::*;

/// Makes a `#[tokio::test]` of every case; `$open` is an async function that answers an empty
/// `Arc<dyn Store>` and whatever must live as long, or `None` after it has said why it cannot.
#[macro_export]
macro_rules! conformance {
    ($open:path) => {
        $crate::conformance! { $open;
            reports_that_come_together_are_judged_apart
            jobs_that_come_together_are_judged_apart
            a_job_is_stored_with_its_runs_and_its_first_event
            the_same_key_and_body_answer_the_first_job
            the_same_key_with_another_body_is_refused
            the_best_run_is_granted_first
            a_worker_gets_only_what_it_can_run
            jobs_share_the_workers
            concurrent_acquires_never_grant_a_run_twice
            a_report_from_a_stale_attempt_changes_nothing
            a_report_sent_again_is_answered_without_effect
            a_gap_in_reports_is_refused_with_the_number_that_comes_next
            a_report_renews_the_lease
            a_refused_report_stores_nothing_of_it
            a_lost_worker_s_run_goes_on_from_its_checkpoint
            a_failed_run_waits_before_it_is_tried_again
            the_budget_of_counted_failures_ends_the_run
            attempts_without_progress_end_the_run
            a_server_restart_costs_no_attempt
            a_clock_that_was_set_back_makes_no_lease_longer
            a_clock_that_was_set_ahead_ends_no_attempt
            a_worker_that_never_comes_back_after_a_restart_is_told_from_a_lost_one
            the_last_run_ends_the_job
            a_run_that_has_ended_takes_nothing
            a_queued_job_is_cancelled_at_once
            a_running_run_learns_of_the_cancel_with_its_next_report
            a_paused_job_goes_on_after_resume
            a_wish_is_obeyed_when_the_worker_dies
            repeating_a_wish_changes_nothing
            metrics_keep_every_bit
            metrics_sent_again_by_a_later_attempt_change_nothing
            other_bits_in_the_last_report_of_a_run_fail_it
            other_bits_for_a_step_fail_the_run
            another_kind_for_a_metric_fails_the_run
            too_many_names_are_refused
            oddly_shaped_values_are_refused
            thinning_keeps_the_first_the_last_and_the_extremes
            series_say_what_there_is
            a_checkpoint_needs_all_its_chunks
            a_checkpoint_needs_the_bytes_it_names
            the_two_newest_checkpoints_are_kept
            a_job_says_which_checkpoints_are_kept
            a_pinned_checkpoint_stays
            a_run_that_goes_on_is_not_thinned
            a_corrupt_checkpoint_gives_way_to_the_one_before
            a_checkpoint_of_half_a_gibibyte_comes_back_whole
            damaged_chunks_that_two_runs_share_are_put_again
            collecting_never_takes_what_a_checkpoint_names
            a_job_remembers_what_it_builds_on
            a_checkpoint_that_a_job_builds_on_is_kept
            a_job_builds_only_on_checkpoints_that_are_there
            data_sets_have_names_and_one_content
            data_sets_are_checked_against_their_hash
            events_are_numbered_without_gaps
            progress_is_told_at_most_twice_a_second
            pages_follow_each_other
            runs_are_ranked_by_the_last_value_of_a_metric
            ids_can_be_cut_short
            workers_are_remembered
            unknown_ids_are_named
            a_closed_store_takes_nothing
        }
    };
    ($open:path; $($case:ident)*) => {
        $(#[tokio::test]
        async fn $case() {
            let Some((store, _kept)) = $open().await else { return };
            $crate::conformance::$case(store).await;
        })*
    };
}
