//! How each kind of fault is caused. A fault that breaks nothing is not caused.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use pool_chaos::proxy::{Direction, Fault, Link};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Connection, Error, Pool};
use private_server::ServerError;

use super::Faults;
use crate::bank::{self, Session};
use crate::pool_place::{Current, MAXSIZE};
use crate::shrinking::{self, Shrinking};

/// The pause between two looks at the size of a pool.
const LOOK: Duration = Duration::from_millis(5);

/// Whether a fault was caused; the text says why it was not.
pub(super) type Caused = Result<(), String>;

/// A fault that breaks some things is caused when there were any.
fn some(number: usize, what: &str) -> Caused {
    match number {
        0 => Err(format!("there were no {what}")),
        _ => Ok(()),
    }
}

/// One or more of these, chosen by chance.
fn pick_some<T>(mut all: Vec<T>, random: &mut fastrand::Rng) -> Vec<T> {
    random.shuffle(&mut all);
    if !all.is_empty() {
        all.truncate(random.usize(1..=all.len()));
    }
    all
}

impl Faults {
    pub(super) fn cause(&mut self, kind: &str) -> Result<Caused, ServerError> {
        let direction = Direction::BOTH[self.random.usize(..2)];
        let mut caused = Ok(());
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
            "sessions killed" => caused = self.kill("CONNECTION"),
            "queries killed" => {
                self.tally.query_kill_begins();
                caused = self.kill("QUERY");
                self.tally.query_kill_ends();
            }
            "answer to COMMIT cut" => {
                let after = self.random.u64(..12);
                let request = "COMMIT";
                self.proxy.inject(Fault::CutReplyTo { request, after });
                let links = self.proxy.links();
                self.pause(100..300);
                caused = some(count_cut(&links), "COMMITs");
            }
            "connections reset" => caused = self.break_some(|_| Fault::Reset),
            "connections half closed" => {
                caused = self.break_some(|_| Fault::HalfClose(direction));
            }
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
                let links = self.proxy.links();
                caused = self
                    .break_some(|link| Fault::CutAfter(direction, link.passed(direction) + bytes));
                self.pause(100..300);
                caused =
                    caused.and_then(|()| some(count_cut(&links), "streams with that many bytes"));
            }
            "too many connections" => caused = self.refuse_connections(),
            "wait_timeout=1" => caused = self.short_wait_timeout(),
            "users and passwords changed" => caused = self.rotate(),
            "pool made smaller" => caused = self.resize(),
            "pool cleared" => caused = self.replace(None),
            "connections replaced in time" => {
                let within = Duration::from_millis(self.random.u64(..300));
                caused = self.replace(Some(within));
            }
            "pool closed and built again" => self.rebuild(false),
            _ => caused = self.terminate_with_leaks(),
        }
        Ok(caused)
    }

    fn rebuild(&self, terminate: bool) {
        let rebuild = self.place.rebuild(terminate, &self.proxy, &self.tally);
        self.tokio.block_on(rebuild);
    }

    /// The other user gets a new password, the user of now is dropped, and all its sessions end.
    fn rotate(&mut self) -> Caused {
        let mut admin = self.admin()?;
        let rotate = self.place.vault().rotate(&mut admin);
        let old = self
            .tokio
            .block_on(rotate)
            .map_err(|error| error.to_string())?;
        self.pause(0..300);
        let sessions = self.sessions(&mut admin)?;
        let kill = admin.query_drop(format!("KILL USER {old}@'%'"));
        self.tokio
            .block_on(kill)
            .map_err(|error| error.to_string())?;
        some(sessions.len(), "sessions")
    }

    /// The pool shrinks and grows while it is used.
    fn resize(&mut self) -> Caused {
        let pool = self.place.pool();
        let maxsize = self.random.usize(1..MAXSIZE);
        let resized = pool.resize(maxsize);
        resized.map_err(|error| error.to_string())?;
        if self.shrinks(&pool, maxsize) {
            let most = &self.tally.most_sessions;
            most.store(maxsize, Ordering::SeqCst);
            // Long enough for two looks of the sampler.
            let time = Duration::from_millis(self.random.u64(400..800));
            self.stays_small(&pool, maxsize, time);
            most.store(MAXSIZE, Ordering::SeqCst);
        }
        let resized = pool.resize(MAXSIZE);
        resized.map_err(|error| error.to_string())?;
        self.pause(100..500);
        Ok(())
    }

    /// Waits until the pool is as small as it has to be. Returns whether it is.
    fn shrinks(&self, pool: &Pool, maxsize: usize) -> bool {
        let start = Instant::now();
        loop {
            let waited = start.elapsed();
            match shrinking::judge(pool.size(), maxsize, waited) {
                Shrinking::Done => return true,
                Shrinking::NotYet => thread::sleep(LOOK),
                Shrinking::Stuck(what) => {
                    self.tally.violation(what);
                    return false;
                }
            }
        }
    }

    fn stays_small(&self, pool: &Pool, maxsize: usize, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(what) = shrinking::grown_again(pool.size(), maxsize) {
                return self.tally.violation(what);
            }
            thread::sleep(LOOK);
        }
    }

    /// All connections are replaced: at once by `clear_all`, or within this time by `recycle_all`.
    fn replace(&self, within: Option<Duration>) -> Caused {
        let Current { pool, connections } = self.place.current();
        let newest = connections.newest();
        let before = pool.size();
        match within {
            None => self.tokio.block_on(pool.clear_all()),
            Some(within) => {
                pool.recycle_all(within);
                thread::sleep(within);
            }
        }
        connections.replaced(newest, self.tally.since_start());
        some(before, "connections")
    }

    fn terminate_with_leaks(&mut self) -> Caused {
        let wanted = self.random.usize(1..4);
        self.tally.leaks_wanted.store(wanted, Ordering::SeqCst);
        self.pause(200..400);
        let left = self.tally.leaks_wanted.swap(0, Ordering::SeqCst);
        self.rebuild(true);
        some(wanted - left, "moves that leaked a guard")
    }

    /// Breaks one connection or more.
    fn break_some(&mut self, fault: impl Fn(&Link) -> Fault) -> Caused {
        let links = pick_some(self.proxy.links(), &mut self.random);
        for link in &links {
            link.inject(fault(link));
        }
        some(links.len(), "connections")
    }

    fn admin(&self) -> Result<Connection, String> {
        let admin = bank::admin(self.server.port());
        self.tokio
            .block_on(admin)
            .map_err(|error| error.to_string())
    }

    fn sessions(&self, admin: &mut Connection) -> Result<Vec<Session>, String> {
        let sessions = self.tokio.block_on(bank::sessions(admin));
        sessions.map_err(|error| error.to_string())
    }

    /// Kills one session of the pool or more, or what they do.
    fn kill(&mut self, what: &str) -> Caused {
        let mut admin = self.admin()?;
        let sessions = self.sessions(&mut admin)?;
        let victims = pick_some(sessions, &mut self.random);
        some(self.kill_each(&mut admin, &victims, what), "sessions")
    }

    /// Returns how many the server has killed; the others were gone.
    fn kill_each(&self, admin: &mut Connection, victims: &[Session], what: &str) -> usize {
        let kill = |victim: &&Session| {
            let sql = format!("KILL {what} {}", victim.id);
            self.tokio.block_on(admin.query_drop(sql)).is_ok()
        };
        victims.iter().filter(kill).count()
    }

    /// The server has no place for new sessions while the old ones are killed.
    fn refuse_connections(&mut self) -> Caused {
        let mut admin = self.admin()?;
        self.set(&mut admin, "max_connections", 10)?;
        let mut holders = Vec::new();
        let mut was_refused = false;
        while !was_refused && holders.len() < 11 {
            match self.admin() {
                Ok(holder) => holders.push(holder),
                Err(_) => was_refused = true,
            }
        }
        let killed = self.kill_all(&mut admin);
        self.pause(500..1500);
        let restored = self.set(&mut admin, "max_connections", 151);
        drop(holders);
        restored.and(killed)?;
        some(usize::from(was_refused), "connections refused")
    }

    /// Sessions that are opened now end after a second without a command.
    fn short_wait_timeout(&mut self) -> Caused {
        let mut admin = self.admin()?;
        self.set(&mut admin, "wait_timeout", 1)?;
        let killed = self.kill_all(&mut admin);
        self.pause(1000..2500);
        self.set(&mut admin, "wait_timeout", 28_800)?;
        killed
    }

    fn kill_all(&self, admin: &mut Connection) -> Caused {
        let sessions = self.sessions(admin)?;
        some(self.kill_each(admin, &sessions, "CONNECTION"), "sessions")
    }

    fn set(&self, admin: &mut Connection, variable: &str, value: u32) -> Caused {
        let set = admin.query_drop(format!("SET GLOBAL {variable} = {value}"));
        let set = self.tokio.block_on(set).map_err(Error::from);
        set.map_err(|error| error.to_string())
    }
}

fn count_cut(links: &[Link]) -> usize {
    links.iter().filter(|link| link.was_cut()).count()
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;

    #[test]
    fn a_fault_that_breaks_nothing_is_not_caused() {
        assert_eq!(some(1, "sessions"), Ok(()));
        assert_eq!(some(0, "sessions"), Err("there were no sessions".into()));
    }

    #[test]
    fn one_is_picked_at_least_where_there_is_one() {
        for seed in 0..100 {
            let mut random = Rng::with_seed(seed);
            let number = pick_some(vec![1, 2, 3], &mut random).len();
            assert!((1..=3).contains(&number));
            assert_eq!(pick_some(vec![7], &mut random), [7]);
            assert!(pick_some(Vec::<u8>::new(), &mut random).is_empty());
        }
    }
}
