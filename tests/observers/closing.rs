//! While a pool closes, and after it has closed, every event is still told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pool_core::Event;
use support::invariants::acquire_now;
use support::{Probe, Stage, Told};

use super::SECOND;

#[test]
fn all_closes_of_a_terminate_are_told_while_the_guards_are_still_held() {
    Stage::each_virtual(|stage| {
        if !stage.spawns() {
            return; // there, the next call tells
        }
        let (builder, _control) = stage.pool(3500);
        let closes = Arc::new(AtomicUsize::new(0));
        let is_over = Arc::new(AtomicBool::new(false));
        let (counted, ended) = (Arc::clone(&closes), Arc::clone(&is_over));
        let builder = builder.observer(move |event: &Event<'_>| match event {
            Event::Closed { .. } => {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            Event::PoolClosed { .. } => ended.store(true, Ordering::Relaxed),
            _ => {}
        });
        let pool = builder.build_lazy().unwrap();
        let held: Vec<_> = (0..3500).map(|_| acquire_now(stage, &pool)).collect();
        pool.terminate();
        stage.run(pool.wait_closed()).unwrap();
        stage.settle();
        assert_eq!(closes.load(Ordering::Relaxed), 3500);
        assert!(is_over.load(Ordering::Relaxed));
        drop(held);
    });
}

#[test]
fn a_leak_that_holds_up_a_shutdown_is_told_while_it_does() {
    Stage::each_virtual(|stage| {
        if !stage.spawns() {
            return; // there, the next call tells
        }
        let (builder, _control) = stage.pool(1);
        let (builder, told) = Told::by(builder.leak_warning_after(SECOND));
        let pool = builder.build_lazy().unwrap();
        let held = acquire_now(stage, &pool);
        pool.close();
        let mut closed = Probe::pending(pool.wait_closed());
        told.take();
        stage.advance(2 * SECOND);
        stage.settle();
        assert_eq!(pool.stats().suspected_leaks(), 1);
        let told = told.take();
        assert!(
            told.iter()
                .any(|sentence| sentence.contains("is it leaked?")),
            "{told:?}"
        );
        drop(held);
        assert!(closed.poll_until_stalled(stage));
    });
}
