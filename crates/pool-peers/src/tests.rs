//! The harness itself finds what it looks for, and the versions of the table are those of Cargo.lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crate::peer::{BoxFuture, Counts, Guard, Kind, Peer};
use crate::peers;
use crate::runner::{Cell, Scenario};
use crate::scenarios;
use crate::server::{Connection, Server};
use crate::world::Fault;

#[test]
fn versions_are_those_of_the_lock_file() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"))
        .expect("the lock file of the workspace");
    for kind in peers::ALL {
        let entry = format!(
            "name = \"{}\"\nversion = \"{}\"\n",
            kind.package, kind.version
        );
        assert!(lock.contains(&entry), "{} {}", kind.package, kind.version);
    }
}

#[test]
fn each_scenario_has_an_id_of_its_own() {
    let mut ids: Vec<_> = scenarios::all()
        .iter()
        .map(|scenario| scenario.id)
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(count >= 40, "{count}");
}

/// A pool that connects anew for each acquire, without any limit.
struct Unlimited(Server);

impl Peer for Unlimited {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let server = self.0.clone();
        Box::pin(async move {
            let conn = server.connect().await.map_err(|error| error.to_string())?;
            Ok(Box::new(Toy(conn, None)) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        Box::pin(std::future::ready(Counts { size: 0, idle: 0 }))
    }
}

/// A pool of one connection that never wakes a waiter.
struct Forgetful {
    server: Server,
    taken: Arc<AtomicBool>,
}

impl Peer for Forgetful {
    fn acquire(&self) -> BoxFuture<Result<Box<dyn Guard>, String>> {
        let (server, taken) = (self.server.clone(), Arc::clone(&self.taken));
        Box::pin(async move {
            if taken.swap(true, SeqCst) {
                std::future::pending::<()>().await;
            }
            let conn = server.connect().await.map_err(|error| error.to_string())?;
            Ok(Box::new(Toy(conn, Some(taken))) as Box<dyn Guard>)
        })
    }
    fn counts(&self) -> BoxFuture<Counts> {
        Box::pin(std::future::ready(Counts { size: 0, idle: 0 }))
    }
}

struct Toy(Connection, Option<Arc<AtomicBool>>);

impl Guard for Toy {
    fn connection(&self) -> &Connection {
        &self.0
    }
    fn discard(self: Box<Self>) {}
}

impl Drop for Toy {
    fn drop(&mut self) {
        if let Some(taken) = &self.1 {
            taken.store(false, SeqCst);
        }
    }
}

const UNLIMITED: Kind = Kind {
    name: "unlimited",
    package: "none",
    version: "0",
    offers: &[],
    why_absent: &[],
    open: |server, _| Box::pin(std::future::ready(Ok(Arc::new(Unlimited(server)) as _))),
};

const FORGETFUL: Kind = Kind {
    name: "forgetful",
    open: |server, _| {
        let taken = Arc::default();
        Box::pin(std::future::ready(Ok(
            Arc::new(Forgetful { server, taken }) as _,
        )))
    },
    ..UNLIMITED
};

fn scenario(id: &str) -> Scenario {
    let mut all = scenarios::all().into_iter();
    all.find(|scenario| scenario.id == id)
        .expect("the scenario")
}

#[test]
fn a_pool_without_a_limit_fails() {
    let cell = scenario("P45").cell(UNLIMITED);
    assert!(matches!(cell, Cell::Fault(Fault::Fail(_))), "{cell:?}");
}

#[test]
fn a_pool_that_wakes_nobody_hangs() {
    for id in ["P02", "P19i"] {
        let cell = scenario(id).cell(FORGETFUL);
        assert!(
            matches!(cell, Cell::Fault(Fault::Hang(_))),
            "{id}: {cell:?}"
        );
    }
}

#[test]
fn what_a_pool_does_not_offer_is_not_a_fault() {
    let cell = scenario("P59").cell(UNLIMITED);
    assert!(matches!(cell, Cell::Absent(_)), "{cell:?}");
}
