//! The thread that breaks things, one after the other, and waits each time until a move succeeds again.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use pool_chaos::proxy::{Direction, Fault, Link, Proxy};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error};
use private_server::{PrivateServer, ServerError};
use tokio::runtime::Handle;

use crate::RECOVERY;
use crate::bank;
use crate::pool_place::PoolPlace;
use crate::tally::Tally;

/// What can go wrong.
pub(crate) const KINDS: [&str; 15] = [
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
        let mut kinds = Vec::new();
        while start.elapsed() < length {
            if kinds.is_empty() {
                let wanted = KINDS.iter().filter(|kind| kind.contains(&*self.only));
                kinds = wanted.copied().collect();
                self.random.shuffle(&mut kinds);
            }
            let Some(kind) = kinds.pop() else { continue };
            let done = self.cause(kind)?;
            self.proxy.heal();
            if let Err(error) = done {
                println!("chaos: {kind}: {error}");
            }
            self.recover(kind);
            self.pause(100..400);
        }
        Ok(())
    }

    /// Waits until a move succeeds that began after the fault.
    fn recover(&self, kind: &'static str) {
        let end = self.tally.since_start();
        while self.tally.last_ok_began() < end {
            if self.tally.since_start() > end + RECOVERY {
                let status = self.place.pool().status();
                let what = format!("no move succeeds {RECOVERY:?} after: {kind}; {status:?}");
                self.tally.violation(what);
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let took = self.tally.since_start().saturating_sub(end);
        self.tally.note(|sum| {
            let (number, longest) = sum.faults.entry(kind).or_default();
            *number += 1;
            *longest = (*longest).max(took);
        });
    }

    fn cause(&mut self, kind: &str) -> Result<Result<(), Error>, ServerError> {
        let direction = Direction::BOTH[self.random.usize(..2)];
        let mut result = Ok(());
        match kind {
            "crash of the server" => {
                self.server.kill();
                self.pause(0..500);
                self.server.start_again()?;
            }
            "pause of the server" => {
                self.server.pause();
                self.pause(200..2500);
                self.server.resume();
            }
            "sessions killed" => result = self.kill("CONNECTION"),
            "queries killed" => {
                self.tally.query_kill_begins();
                result = self.kill("QUERY");
                self.tally.query_kill_ends();
            }
            "answer to COMMIT cut" => {
                let after = self.random.u64(..12);
                let request = "COMMIT";
                self.proxy.inject(Fault::CutReplyTo { request, after });
                self.pause(100..300);
            }
            "connections reset" => self.each_of_some(|_| Fault::Reset),
            "connections half closed" => self.each_of_some(|_| Fault::HalfClose(direction)),
            "late bytes" => {
                let delay = Duration::from_millis(self.random.u64(1..80));
                for direction in Direction::BOTH {
                    self.proxy.inject(Fault::Delay(direction, delay));
                }
                self.pause(500..1000);
            }
            "black hole" => {
                self.proxy.inject(Fault::BlackHole(direction));
                if self.random.bool() {
                    for direction in Direction::BOTH {
                        self.proxy.inject(Fault::BlackHole(direction));
                    }
                }
                self.pause(300..2500);
            }
            "one byte a second" => {
                self.proxy.inject(Fault::Trickle(direction));
                self.pause(500..1500);
            }
            "streams cut" => {
                let bytes = self.random.u64(..300);
                self.each_of_some(|link| {
                    Fault::CutAfter(direction, link.passed(direction) + bytes)
                });
                self.pause(100..300);
            }
            "too many connections" => result = self.refuse_connections(),
            "wait_timeout=1" => result = self.short_wait_timeout(),
            "pool closed and built again" => self.rebuild(false),
            _ => {
                let leaks = self.random.usize(1..4);
                self.tally
                    .leaks_wanted
                    .store(leaks, std::sync::atomic::Ordering::SeqCst);
                self.pause(200..400);
                self.tally
                    .leaks_wanted
                    .store(0, std::sync::atomic::Ordering::SeqCst);
                self.rebuild(true);
            }
        }
        Ok(result)
    }

    fn rebuild(&self, terminate: bool) {
        let rebuild = self.place.rebuild(terminate, &self.proxy, &self.tally);
        self.tokio.block_on(rebuild);
    }

    /// Breaks about half of the connections.
    fn each_of_some(&mut self, fault: impl Fn(&Link) -> Fault) {
        for link in self.proxy.links() {
            if self.random.bool() {
                link.inject(fault(&link));
            }
        }
    }

    fn admin(&self) -> Result<Connection, Error> {
        self.tokio.block_on(bank::admin(self.server.port()))
    }

    /// Kills about half of the pool's sessions, or what they do.
    fn kill(&mut self, what: &str) -> Result<(), Error> {
        let mut admin = self.admin()?;
        let sessions = self.tokio.block_on(bank::sessions(&mut admin))?;
        for (id, _) in sessions {
            if self.random.bool() {
                // The session may be gone.
                let _ = self
                    .tokio
                    .block_on(admin.query_drop(format!("KILL {what} {id}")));
            }
        }
        Ok(())
    }

    /// The server has no place for new sessions while the old ones are killed.
    fn refuse_connections(&mut self) -> Result<(), Error> {
        let mut admin = self.admin()?;
        let set = |number: u32| format!("SET GLOBAL max_connections = {number}");
        self.tokio.block_on(admin.query_drop(set(10)))?;
        let mut holders = Vec::new();
        while let (Ok(holder), true) = (self.admin(), holders.len() < 10) {
            holders.push(holder);
        }
        let killed = self.kill_with(&mut admin);
        self.pause(500..1500);
        let restored = self.tokio.block_on(admin.query_drop(set(151)));
        drop(holders);
        killed.and(restored.map_err(Error::from))
    }

    fn kill_with(&mut self, admin: &mut Connection) -> Result<(), Error> {
        for (id, _) in self.tokio.block_on(bank::sessions(admin))? {
            // The session may be gone.
            let _ = self
                .tokio
                .block_on(admin.query_drop(format!("KILL CONNECTION {id}")));
        }
        Ok(())
    }

    /// Sessions that are opened now end after a second without a command.
    fn short_wait_timeout(&mut self) -> Result<(), Error> {
        let mut admin = self.admin()?;
        let set = |seconds: u32| format!("SET GLOBAL wait_timeout = {seconds}");
        self.tokio.block_on(admin.query_drop(set(1)))?;
        self.kill_with(&mut admin)?;
        self.pause(1000..2500);
        self.tokio.block_on(admin.query_drop(set(28_800)))?;
        Ok(())
    }

    fn pause(&mut self, milliseconds: std::ops::Range<u64>) {
        thread::sleep(Duration::from_millis(self.random.u64(milliseconds)));
    }
}
