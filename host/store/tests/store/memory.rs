//! What the store in plain maps must do besides.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use tollgate_core::{StoreId, course::End, time::ManualClock};
use tollgate_store::{Store as _, memory::MemoryStore};

use crate::support::*;

pub(crate) fn empty(clock: Arc<ManualClock>) -> MemoryStore {
    MemoryStore::new(StoreId::generate(), clock)
}

/// What a future gives that waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something"),
    }
}

#[test]
fn nothing_waits_for_anything_else() {
    at_once(async {
        let world = World::new(&|clock| empty(clock)).await;
        world.admit(vec![world.arrival("A")]).await;
        world.work(End::Done).await;
        for delivery in world.take(9).await {
            world.settle(&delivery).await;
        }
        assert_eq!(world.store.open_work().await.unwrap().undelivered, 0);
    });
}
