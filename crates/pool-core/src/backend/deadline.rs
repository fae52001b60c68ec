//! A step under its deadline.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::{Backend, no_timer, poll_timer};
use crate::error::{Error, Phase};
use crate::panics::catch_panic;
use crate::{Manager, Status};

/// How a step under a deadline failed.
pub(super) enum StepFailure<E> {
    Error(E),
    TimedOut(Duration),
    Panicked(String),
    /// No timer can keep the deadline, and why.
    NoTimer(String),
}

impl<M: Manager> Backend<M> {
    /// Whether the pool's timer wakes whoever polls a step that is out of time. Elsewhere each step has a timer: where the pool's
    /// cannot be set while it strikes, it may stay unset until the next caller comes.
    pub(crate) fn keeps_deadlines(&self) -> bool {
        self.timer_is_reentrant()
    }

    /// Polls a future until it is done, panics, or has taken too long. The time starts with its first wait.
    ///
    /// `is_woken`: somebody else polls it again when the time is over.
    pub(super) async fn within<T>(
        &self,
        limit: Option<Duration>,
        is_woken: bool,
        future: impl Future<Output = Result<T, M::Error>> + Send,
    ) -> Result<T, StepFailure<M::Error>> {
        let mut future = pin!(future);
        let mut deadline = None;
        let mut sleep = None;
        poll_fn(|cx| {
            match catch_panic(|| future.as_mut().poll(cx)) {
                Ok(Poll::Ready(result)) => return Poll::Ready(result.map_err(StepFailure::Error)),
                Err(message) => return Poll::Ready(Err(StepFailure::Panicked(message))),
                Ok(Poll::Pending) => {}
            }
            let Some(limit) = limit else {
                return Poll::Pending;
            };
            if is_woken {
                let now = self.now();
                // A limit that reaches beyond the clock never strikes.
                let Some(at) = deadline.or_else(|| now.checked_add(limit)) else {
                    return Poll::Pending;
                };
                if deadline.is_none() {
                    if let Err(why) = self.timer_keeps(at) {
                        return Poll::Ready(Err(StepFailure::NoTimer(why)));
                    }
                    deadline = Some(at);
                }
                return match at <= now {
                    true => Poll::Ready(Err(StepFailure::TimedOut(limit))),
                    false => Poll::Pending,
                };
            }
            if sleep.is_none() {
                let Some(at) = self.now().checked_add(limit) else {
                    return Poll::Pending;
                };
                match self.sleep_until(at) {
                    Ok(new) => sleep = Some(new),
                    Err(why) => return Poll::Ready(Err(StepFailure::NoTimer(why))),
                }
            }
            let sleep = sleep.as_mut().expect("it was made just now");
            match poll_timer(sleep, cx) {
                Ok(struck) => struck.map(|()| Err(StepFailure::TimedOut(limit))),
                Err(why) => Poll::Ready(Err(StepFailure::NoTimer(why))),
            }
        })
        .await
    }
}

impl<E> StepFailure<E> {
    pub(super) fn into_error(self, phase: Phase, error: impl FnOnce(E) -> Error<E>) -> Error<E> {
        match self {
            Self::Error(own) => error(own),
            Self::TimedOut(after) => Error::Timeout {
                phase,
                after,
                status: Status::default(),
                last_connect: None,
                report: Box::default(),
            },
            Self::Panicked(message) => Error::Panicked { phase, message },
            Self::NoTimer(why) => no_timer(phase.timeout_field(), why),
        }
    }
}
