//! The thread that breaks things, one after the other, and waits each time until a move succeeds again.

mod cause;
mod order;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use pool_chaos::proxy::Proxy;
use private_server::{PrivateServer, ServerError};
use tokio::runtime::Handle;

use self::order::Order;
use crate::pool_place::PoolPlace;
use crate::recovery::{self, Recovery};
use crate::report::Tries;
use crate::tally::Tally;

/// What can go wrong.
pub(crate) const KINDS: [&str; 19] = [
    "crash of the server",
    "pause of the server",
    "sessions killed",
    "queries killed",
    "answer to COMMIT cut",
    "connections reset",
    "connections half closed",
    "late bytes",
    "black hole",
    "one byte a second",
    "streams cut",
    "too many connections",
    "wait_timeout=1",
    "users and passwords changed",
    "pool made smaller",
    "pool cleared",
    "connections replaced in time",
    "pool closed and built again",
    "pool with leaks terminated",
];

/// What the thread works with.
pub(crate) struct Faults {
    pub(crate) server: Arc<PrivateServer>,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) place: Arc<PoolPlace>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) tokio: Handle,
    pub(crate) random: Rng,
    /// A part of the names of those that are wanted.
    pub(crate) only: String,
}

impl Faults {
    /// Breaks things for so long. Each kind comes once before one comes again.
    pub(crate) fn run(mut self, length: Duration) -> Result<(), ServerError> {
        let start = Instant::now();
        let mut order = Order::new(&self.only);
        while start.elapsed() < length {
            let Some(kind) = order.next(&mut self.random) else {
                break;
            };
            let caused = self.cause(kind)?;
            self.proxy.heal();
            if let Err(why) = &caused {
                println!("chaos: not caused: {kind}: {why}");
            }
            let took = self.recover(kind);
            self.tally.note(|sum| {
                let tries = match caused {
                    Ok(()) => Tries {
                        tried: 1,
                        caused: 1,
                        longest: took,
                    },
                    Err(_) => Tries {
                        tried: 1,
                        ..Tries::default()
                    },
                };
                sum.faults.entry(kind).or_default().add(tries);
            });
            self.pause(100..400);
        }
        Ok(())
    }

    /// Waits until a move succeeds that began after the fault, and returns how long that took.
    fn recover(&self, kind: &'static str) -> Duration {
        let end = self.tally.since_start();
        loop {
            let now = self.tally.since_start();
            match recovery::judge(end, self.tally.last_ok_began(), now) {
                Recovery::NotYet => thread::sleep(Duration::from_millis(5)),
                Recovery::InTime => return now.saturating_sub(end),
                Recovery::TooSlow => {
                    let status = self.place.pool().status();
                    self.tally.violation(recovery::too_slow(kind, &status));
                    return now.saturating_sub(end);
                }
            }
        }
    }

    fn pause(&mut self, milliseconds: std::ops::Range<u64>) {
        thread::sleep(Duration::from_millis(self.random.u64(milliseconds)));
    }
}
