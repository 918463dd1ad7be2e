//! What every [`Store`] promises. An implementation runs it all with [`store_contract!`](crate::store_contract) and a [`Home`] of its own.

pub mod model;
pub mod promises;
pub mod samples;

use std::sync::Arc;

use crate::ports::Store;

/// Where one store lives.
pub trait Home: Default {
    /// Opens it. When it is opened again after every handle has been dropped, that is a new start of the bridge.
    fn open(&self) -> Arc<dyn Store>;
}

/// Makes one test of each promise.
#[macro_export]
macro_rules! store_contract {
    ($home:ty) => {
        $crate::store_contract!($home;
            a_new_store_is_empty_and_has_an_id,
            what_is_committed_is_read_and_survives_a_restart,
            sends_and_operations_keep_their_order,
            what_is_done_goes_away_and_its_number_never_returns,
            numbers_grow_over_restarts,
            a_known_update_changes_nothing,
            of_many_at_once_with_one_mark_exactly_one_is_done,
            the_same_update_of_another_bot_is_another,
            a_known_event_changes_nothing,
            old_marks_of_events_are_forgotten_too,
            an_empty_change_is_done,
            unknown_names_are_passed_over,
            parts_are_carried_out_in_their_order,
            negative_ids_keep_their_place,
            big_values_come_back_whole,
            configuration_is_kept_and_forgotten,
            a_refused_operation_is_kept_aside,
            a_chat_is_found_by_its_consultation,
            the_id_of_a_store_never_changes,
            old_marks_are_forgotten,
            counts_count_what_waits,
            many_chats_at_once_keep_their_order,
        );

        #[test]
        fn it_behaves_like_the_model() {
            $crate::ports::contract::store::model::behaves_like_the_model::<$home>();
        }
    };
    ($home:ty; $($promise:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::ports::contract::store::promises::$promise(<$home>::default()).await;
        }
    )+};
}
