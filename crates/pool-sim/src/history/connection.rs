//! The life of one connection, as the events tell it.

use std::panic::Location;
use std::time::{Duration, Instant};

use pool_core::{CloseReason, Verdict};

use super::causes::{At, Causes};

/// What is known of a connection.
pub(super) struct Connection {
    pub(super) at: At,
    /// When its connect began.
    pub(super) began: Instant,
    /// Its holder; once it is not held any more, the last one.
    holder: Option<Holder>,
}

/// Somebody holds a connection.
struct Holder {
    since: Instant,
    place: &'static Location<'static>,
    label: Option<String>,
    leak: Leak,
}

/// What the observers were told of the leak of one hand-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leak {
    Untold,
    Suspected,
    Resolved,
}

impl Connection {
    pub(super) fn new(at: At, now: Instant) -> Self {
        Self {
            at,
            began: now,
            holder: None,
        }
    }

    /// It goes on to `to`, if it was where `is_legal` says.
    pub(super) fn step(&mut self, is_legal: impl FnOnce(At) -> bool, to: At) -> Result<(), String> {
        let was = std::mem::replace(&mut self.at, to);
        match is_legal(was) {
            true => Ok(()),
            false => Err(format!("it was {was:?}")),
        }
    }

    /// It was handed out. What had to be recycled was recycled.
    pub(super) fn lent(
        &mut self,
        now: Instant,
        place: &'static Location<'static>,
        label: Option<&str>,
    ) -> Result<(), String> {
        self.holder = Some(Holder {
            since: now,
            place,
            label: label.map(str::to_owned),
            leak: Leak::Untold,
        });
        let is_clean = |at| matches!(at, At::Clean | At::Back(Some(Verdict::Reuse) | None));
        self.step(is_clean, At::Held)
    }

    /// Its holder has let go of it.
    pub(super) fn left(&mut self, now: Instant, held: Duration, to: At) -> Result<(), String> {
        self.step(|at| at == At::Held, to)?;
        let holder = self.holder()?;
        if holder.leak == Leak::Suspected {
            return Err("the leak was not resolved".to_owned());
        }
        holder.has_held(now, held)
    }

    /// It has been held for long.
    pub(super) fn suspected(
        &mut self,
        (now, limit): (Instant, Duration),
        held: Duration,
        place: &'static Location<'static>,
        label: Option<&str>,
    ) -> Result<(), String> {
        self.step(|at| at == At::Held, At::Held)?;
        let holder = self.holder()?;
        holder.is_at(place, label)?;
        let was = std::mem::replace(&mut holder.leak, Leak::Suspected);
        if was != Leak::Untold {
            return Err(format!("the leak was {was:?}"));
        }
        // A timer has found it, and it is told later.
        let longest = now.saturating_duration_since(holder.since);
        match (limit..=longest).contains(&held) {
            true => Ok(()),
            false => Err(format!("it has been held for {longest:?}")),
        }
    }

    /// It is about to come back after a leak was suspected.
    pub(super) fn resolved(
        &mut self,
        now: Instant,
        held: Duration,
        place: &'static Location<'static>,
        label: Option<&str>,
    ) -> Result<(), String> {
        self.step(|at| at == At::Held, At::Held)?;
        let holder = self.holder()?;
        holder.is_at(place, label)?;
        let was = std::mem::replace(&mut holder.leak, Leak::Resolved);
        if was != Leak::Suspected {
            return Err(format!("the leak was {was:?}"));
        }
        holder.has_held(now, held)
    }

    /// It was checked.
    pub(super) fn checked(&mut self, to: At) -> Result<(), String> {
        let is_legal = |at| matches!(at, At::Clean | At::Back(Some(Verdict::Reuse) | None));
        self.step(is_legal, to)
    }

    /// It was recycled.
    pub(super) fn recycled(&mut self, to: At) -> Result<(), String> {
        self.step(
            |at| matches!(at, At::Back(Some(Verdict::Recycle) | None)),
            to,
        )
    }

    /// Its connect was dropped.
    pub(super) fn cancelled(
        &mut self,
        reason: &CloseReason,
        causes: &Causes,
    ) -> Result<(), String> {
        self.step(|at| at == At::Connecting, At::Gone)?;
        match causes.may_cancel(reason) {
            true => Ok(()),
            false => Err("there is no such cause".to_owned()),
        }
    }

    /// It has left the pool.
    pub(super) fn closed(&mut self, reason: &CloseReason, causes: &Causes) -> Result<(), String> {
        let was = std::mem::replace(&mut self.at, At::Gone);
        match causes.may_close(was, reason) {
            true => Ok(()),
            false => Err(format!("it was {was:?}, and there is no such cause")),
        }
    }

    /// What `Pool::borrowed` says of it is what the observers were told.
    pub(super) fn is_held(
        &self,
        now: Instant,
        age: Duration,
        place: &'static Location<'static>,
        label: Option<&str>,
    ) -> Result<(), String> {
        match &self.holder {
            Some(holder) if self.at == At::Held => {
                holder.is_at(place, label)?;
                holder.has_held(now, age)
            }
            _ => Err(format!("it is {:?}", self.at)),
        }
    }

    fn holder(&mut self) -> Result<&mut Holder, String> {
        let holder = self.holder.as_mut();
        holder.ok_or_else(|| "nobody has acquired it".to_owned())
    }
}

impl Holder {
    fn is_at(&self, place: &'static Location<'static>, label: Option<&str>) -> Result<(), String> {
        match (self.place, self.label.as_deref()) == (place, label) {
            true => Ok(()),
            false => Err(format!(
                "it was acquired at {} by {:?}",
                self.place, self.label
            )),
        }
    }

    fn has_held(&self, now: Instant, held: Duration) -> Result<(), String> {
        let truth = now.saturating_duration_since(self.since);
        match held == truth {
            true => Ok(()),
            false => Err(format!("it was held for {truth:?}")),
        }
    }
}
