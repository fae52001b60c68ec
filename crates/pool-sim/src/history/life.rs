//! The life of the pool, as the events tell it: how it is governed, and how it ends.

use std::time::{Duration, Instant};

use pool_core::{ErrorClass, Status};

/// Longer than the longest pause of a breaker.
const LONGEST_PAUSE: Duration = Duration::from_secs(12);

/// What is known of the pool.
#[derive(Default)]
pub(super) struct Life {
    is_suspended: bool,
    /// The last maxsize that was told.
    maxsize: usize,
    /// It was made smaller at least once.
    pub(super) was_shrunk: bool,
    pub(super) is_closing: bool,
    pub(super) is_terminated: bool,
    /// It is closed, and its last connection is gone.
    pub(super) has_ended: bool,
    breaker: Option<Breaker>,
}

/// The breaker is open.
struct Breaker {
    class: ErrorClass,
    since: Instant,
    /// The last connect that has begun since it opened.
    attempt: Option<u64>,
    /// An attempt has failed since that was told last: its class may have been another one.
    has_failed: bool,
}

impl Life {
    pub(super) fn new(maxsize: u16) -> Self {
        Self {
            maxsize: maxsize.into(),
            ..Self::default()
        }
    }

    pub(super) fn suspended(&mut self, is_suspended: bool, status: Status) -> Result<(), String> {
        self.is_open()?;
        let was_suspended = std::mem::replace(&mut self.is_suspended, is_suspended);
        if was_suspended == is_suspended || status.is_suspended() != is_suspended {
            return Err(format!("suspended before: {was_suspended}; {status}"));
        }
        Ok(())
    }

    /// A connection is handed out.
    pub(super) fn serves(&self) -> Result<(), String> {
        self.is_open()?;
        match self.is_suspended {
            true => Err("the pool is suspended".to_owned()),
            false => Ok(()),
        }
    }

    pub(super) fn resized(&mut self, from: usize, to: usize) -> Result<(), String> {
        self.is_open()?;
        let was = std::mem::replace(&mut self.maxsize, to);
        self.was_shrunk |= to != 0 && (from == 0 || to < from);
        match from == was && from != to {
            true => Ok(()),
            false => Err(format!("maxsize was {was}")),
        }
    }

    /// A pool that begins to close is not suspended any more, and its breaker has no meaning.
    pub(super) fn begins_to_close(&mut self, status: Status) -> Result<(), String> {
        // A `terminate` is told before.
        if std::mem::replace(&mut self.is_closing, true) {
            return Err("it closes twice".to_owned());
        }
        self.is_suspended = false;
        self.breaker = None;
        match status.is_suspended() {
            true => Err(format!("it says: {status}")),
            false => Ok(()),
        }
    }

    pub(super) fn terminated(&mut self) -> Result<(), String> {
        match std::mem::replace(&mut self.is_terminated, true) {
            true => Err("it was terminated before".to_owned()),
            false => Ok(()),
        }
    }

    fn is_open(&self) -> Result<(), String> {
        match self.is_closing || self.is_terminated {
            true => Err("the pool closes".to_owned()),
            false => Ok(()),
        }
    }

    pub(super) fn breaker_opened(
        &mut self,
        now: Instant,
        class: ErrorClass,
        retry_after: Duration,
    ) -> Result<(), String> {
        self.is_open()?;
        if retry_after >= LONGEST_PAUSE {
            return Err("nobody waits for so long".to_owned());
        }
        let Some(breaker) = &mut self.breaker else {
            self.breaker = Some(Breaker {
                class,
                since: now,
                attempt: None,
                has_failed: false,
            });
            return Ok(());
        };
        let is_new = std::mem::replace(&mut breaker.class, class) != class;
        match std::mem::take(&mut breaker.has_failed) || is_new {
            true => Ok(()),
            false => Err("it opens twice".to_owned()),
        }
    }

    pub(super) fn breaker_closed(
        &mut self,
        now: Instant,
        open_for: Duration,
    ) -> Result<(), String> {
        let Some(breaker) = self.breaker.take() else {
            return Err("it was not open".to_owned());
        };
        let truth = now.saturating_duration_since(breaker.since);
        match open_for == truth {
            true => Ok(()),
            false => Err(format!("it was open for {truth:?}")),
        }
    }

    pub(super) fn connect_failed(&mut self, connection: u64) {
        if let Some(breaker) = &mut self.breaker {
            breaker.has_failed |= breaker.attempt == Some(connection);
        }
    }

    /// A connect begins. While the breaker is open it is an attempt: `Some`, with the attempt before it, which must be over.
    pub(super) fn attempt(&mut self, connection: u64) -> Option<Option<u64>> {
        let breaker = self.breaker.as_mut()?;
        Some(breaker.attempt.replace(connection))
    }
}
