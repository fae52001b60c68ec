//! The order in which idle connections are handed out.

use super::*;

/// The idle order: returned first, handed out first; or the other way round where that is wanted.
#[test]
fn idle_connections_go_out_in_the_order_that_was_asked_for() {
    let orders = [IdleOrder::Fifo, IdleOrder::Lifo];
    let policies = [CheckPolicy::Never, CheckPolicy::Always];
    for (order, policy) in orders.into_iter().flat_map(|o| policies.map(|p| (o, p))) {
        Stage::each(|stage| {
            println!("{order:?}, {policy:?}");
            let (builder, control) = stage.pool(3);
            let builder = builder.idle_order(order).check_policy(policy);
            let pool = builder.build_lazy().unwrap();
            let guards = [(); 3].map(|()| acquire_now(stage, &pool));
            let mut returned = Vec::new();
            // Not in the order of their numbers.
            let [one, two, three] = guards;
            for guard in [two, three, one] {
                returned.push(PooledConnection::id(&guard));
                stage.run(PooledConnection::release(guard)).unwrap();
            }
            if order == IdleOrder::Lifo {
                returned.reverse();
            }
            let guards = [(); 3].map(|()| hold(acquire_now(stage, &pool)));
            let taken: Vec<u64> = guards
                .iter()
                .map(|held| PooledConnection::id(held))
                .collect();
            assert_eq!(taken, returned);
            drop(guards);
            all_is_well(stage, pool, &control);
        });
    }
}

/// The same where some were not recycled at once, but are on the way to the next user.
#[test]
fn returned_connections_go_out_in_the_order_that_was_asked_for_before_they_are_recycled() {
    // Which of them are clean when they are returned. Last in, first out is a matter of warmth, not of turns: there an
    // acquire that recycles another one on its way may change the order.
    let mixed = [
        [false, false, false],
        [true, false, true],
        [false, true, false],
        [true, true, false],
    ];
    let alike = [[false; 3], [true; 3]];
    let cases = [(IdleOrder::Fifo, &mixed[..]), (IdleOrder::Lifo, &alike)];
    for (order, cleanliness) in cases {
        for clean in cleanliness.iter().copied() {
            let stage = Stage::bare();
            let (builder, control) = stage.pool(3);
            let pool = builder.idle_order(order).build_lazy().unwrap();
            let [one, two, three] = [(); 3].map(|()| acquire_now(&stage, &pool));
            let mut returned = Vec::new();
            for (guard, clean) in [two, three, one].into_iter().zip(clean) {
                returned.push(PooledConnection::id(&guard));
                if clean {
                    stage.run(PooledConnection::release(guard)).unwrap();
                } else {
                    drop(guard);
                }
            }
            if order == IdleOrder::Lifo {
                returned.reverse();
            }
            let guards = [(); 3].map(|()| hold(acquire_now(&stage, &pool)));
            let taken: Vec<u64> = guards
                .iter()
                .map(|held| PooledConnection::id(held))
                .collect();
            assert_eq!(taken, returned, "{order:?}, clean: {clean:?}");
            drop(guards);
            all_is_well(&stage, pool, &control);
        }
    }
}

/// Each connection has a number of its own, and no two are ever given the same.
#[test]
fn connections_have_numbers_of_their_own() {
    Stage::each(|stage| {
        let (builder, control) = stage.pool(4);
        let pool = builder.build_lazy().unwrap();
        let mut seen = HashSet::new();
        let made = Arc::new(AtomicUsize::new(0));
        for _ in 0..5 {
            let guards = [(); 4].map(|()| acquire_now(stage, &pool));
            for guard in guards {
                assert!(
                    seen.insert(PooledConnection::id(&guard)),
                    "a number came twice"
                );
                made.fetch_add(1, Ordering::SeqCst);
                PooledConnection::discard(guard);
            }
            stage.settle();
        }
        assert_eq!(control.made(), made.load(Ordering::SeqCst));
        all_is_well(stage, pool, &control);
    });
}
