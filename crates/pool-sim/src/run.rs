//! The operation `run`: its work takes a poll or two, and fails where its connection is broken.

use std::sync::{Arc, Mutex, PoisonError};

use pool_core::{Error, PooledConnection, Priority};

use crate::connection::SimConnection;
use crate::runtime::{pend, pick};
use crate::simulated::{Guard, SimError, Simulated};
use crate::world::{Acquiring, Done, Kind, World};

impl<M: Simulated> World<M> {
    /// A `run`: its work takes a poll or two, and fails where its connection is broken.
    pub(crate) fn start_run(&mut self, number: u16) -> bool {
        let Some(pool) = pick(&self.handles, number).cloned() else {
            return false;
        };
        let record = Arc::clone(&self.record);
        let acquiring = self.acquiring(None, Priority::Normal);
        let run = async move {
            let attempts: Arc<Mutex<Vec<Attempt>>> = Arc::default();
            let seen = Arc::clone(&attempts);
            let result = pool.run(async move |conn: &mut Guard<M>| {
                let attempt = work(conn, number).await;
                let is_ok = !attempt.is_broken;
                seen.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(attempt);
                // The connection may fail, and then the pool's own error is at hand.
                is_ok.then_some(()).ok_or(Error::<M::Error>::Discarded)
            });
            let result = result.await;
            let attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
            record.page().repeats += u64::from(attempts.len() > 1);
            if attempts.len() > 2 || (attempts.len() == 2 && !attempts[0].may_be_repeated()) {
                record.blame(format!("run has tried again: {attempts:?}"));
            }
            Done::Ran(match result {
                // Its work has failed.
                Err(Error::Discarded) if attempts.last().is_some_and(|last| last.is_broken) => {
                    Ok(())
                }
                other => other,
            })
        };
        self.push(Box::pin(run), Some(acquiring));
        self.last_call_is(true, Kind::Run);
        true
    }

    pub(crate) fn run_failed(
        &mut self,
        error: &SimError<M>,
        acquiring: &Acquiring,
    ) -> Result<(), String> {
        // Its time-out may be that of its second acquire.
        if !matches!(error, Error::Timeout { .. }) {
            self.acquire_failed(error, acquiring)?;
        }
        self.failed(error)
    }
}

/// What was seen of one attempt of a run.
#[derive(Debug)]
struct Attempt {
    is_broken: bool,
    was_sent: bool,
}

impl Attempt {
    fn may_be_repeated(&self) -> bool {
        self.is_broken && !self.was_sent
    }
}

async fn work<M: Simulated>(conn: &mut Guard<M>, number: u16) -> Attempt {
    let (id, sends) = (PooledConnection::id(conn), number % 2 == 1);
    let held = InRun { conn, id };
    let wrong = SimConnection::now_taken(held.conn);
    held.conn.record.page().held_by_runs.insert(id);
    if let Some(wrong) = wrong {
        held.conn.record.blame(wrong);
    }
    held.conn.mark(|mark| {
        mark.was_sent = sends;
        // It had broken while it was idle.
        mark.is_broken |= number.is_multiple_of(5);
    });
    pend(number % 3).await;
    held.conn.mark(|mark| Attempt {
        is_broken: mark.is_broken,
        was_sent: mark.was_sent,
    })
}

/// A connection in the hands of a run.
struct InRun<'a, M: Simulated> {
    conn: &'a Guard<M>,
    id: u64,
}

impl<M: Simulated> Drop for InRun<'_, M> {
    fn drop(&mut self) {
        self.conn.now_left();
        self.conn.record.page().held_by_runs.remove(&self.id);
    }
}
