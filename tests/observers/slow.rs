//! An observer that is slower than the events costs a bounded amount of memory, and hears how many it has missed.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use pool_core::{Event, Verdict};
use support::Stage;
use support::invariants::{acquire_now, all_is_well};

/// How many events a pool keeps; the documentation of `Observer` says it.
const KEPT: u64 = 65_536;

/// What an observer has heard.
#[derive(Default)]
struct Heard {
    events: u64,
    missed: u64,
    /// How many events it had heard before each gap.
    gaps: Vec<u64>,
}

#[test]
fn an_observer_that_blocks_hears_in_place_how_many_events_it_has_missed() {
    Stage::each_virtual(|stage| {
        let (builder, control) = stage.pool(2);
        let heard = Arc::new(Mutex::new(Heard::default()));
        let gate: Arc<Mutex<Option<Receiver<()>>>> = Arc::default();
        let (own, closed) = (Arc::clone(&heard), Arc::clone(&gate));
        let builder = builder.observer(move |event: &Event<'_>| {
            let gate = closed.lock().unwrap().take();
            if let Some(gate) = gate {
                gate.recv().expect("the test opens the gate");
            }
            let mut heard = own.lock().unwrap();
            let events = heard.events;
            match event {
                Event::Lagged { missed, .. } => {
                    heard.gaps.push(events);
                    heard.missed += missed;
                }
                _ => heard.events += 1,
            }
        });
        control.always_verdict(Verdict::Reuse);
        let pool = builder.build_lazy().unwrap();
        let both = [acquire_now(stage, &pool), acquire_now(stage, &pool)];
        drop(both);
        stage.settle();
        *heard.lock().unwrap() = Heard::default();
        let before = pool.stats().acquires();

        let (open, opened) = channel();
        *gate.lock().unwrap() = Some(opened);
        let own = pool.clone();
        let blocked = thread::spawn(move || drop(own.try_acquire().expect("two are idle")));
        // Whoever takes the gate waits at it.
        while gate.lock().unwrap().is_some() {
            thread::yield_now();
        }
        // Each makes two events, and only the first half finds room.
        for _ in 0..KEPT {
            drop(pool.try_acquire().expect("one is idle"));
        }
        open.send(()).expect("the observer waits");
        blocked.join().expect("nobody panics");
        // Where tasks run, upkeep tells the rest. Elsewhere the next calls do, a thousand each.
        stage.settle();
        for _ in 0..100 {
            if !stage.spawns() {
                drop(pool.try_acquire().expect("one is idle"));
            }
        }
        let told = std::mem::take(&mut *heard.lock().unwrap());
        let acquires = pool.stats().acquires() - before;
        assert_eq!(told.events + told.missed, 2 * acquires, "none is lost");
        // The first was told already, and is none of those that are kept.
        assert_eq!(told.gaps, [KEPT + 1]);
        assert!(told.missed >= KEPT, "{}", told.missed);
        all_is_well(stage, pool, &control);
        assert!(heard.lock().unwrap().gaps.is_empty(), "once");
    });
}
