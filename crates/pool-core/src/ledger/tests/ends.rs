//! Whoever has started a job hears how it has ended.

use super::world::World;
use super::*;
use crate::Verdict;

#[test]
fn the_end_of_a_job_is_kept_while_a_later_job_has_its_slot() {
    let mut world = World::new(1, 1);
    let fill = world.fill_by_verb()[0];
    let take = |world: &mut World, key| {
        world.change(|ledger, effects| ledger.take_job(key, Poller::Owner, effects))
    };
    // Waiters end the jobs of two verbs, which have not been polled since.
    world.acquire_now();
    let entry = world.guards.pop().expect("it was served");
    let returned = world.give_back_awaited(entry, Verdict::Recycle);
    let Returned::Job(release) = returned else {
        panic!("the caller drives a step");
    };
    world.acquire_now();
    assert_eq!(world.guards.len(), 1);
    for key in [fill, release] {
        assert!(matches!(take(&mut world, key), Take::Ended(Settled::Kept)));
        assert!(matches!(take(&mut world, key), Take::Gone));
    }
}
