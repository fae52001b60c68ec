//! Whom `terminate` aborts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::world::World;
use super::*;
use crate::{AbortHandle, Verdict};

#[test]
fn terminate_aborts_what_is_held_and_not_what_is_being_recycled_or_closed() {
    for (verdict, kind) in [
        (Verdict::Recycle, Kind::Recycle),
        (Verdict::Discard, Kind::Close),
    ] {
        let mut world = World::new(0, 2);
        world.acquire_now();
        world.acquire_now();
        let aborted = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        for (entry, count) in world.guards.iter().zip(&aborted) {
            let count = Arc::clone(count);
            let abort = AbortHandle::new(move || {
                count.fetch_add(1, Ordering::Relaxed);
            });
            world.ledger.connections.set_abort(entry.key(), abort);
        }
        let entry = world.guards.pop().expect("two are held");
        let Returned::Job(key) = world.give_back_awaited(entry, verdict) else {
            panic!("the caller drives a step");
        };
        world.poll_as(Poller::Owner, key, false, true);
        assert_eq!(world.ledger.jobs.count(kind), 1);
        world.change(|ledger, effects| ledger.terminate(effects));
        let aborted = aborted.map(|count| count.load(Ordering::Relaxed));
        assert_eq!(aborted, [1, 0], "the held one, and the one in {kind:?}");
    }
}
