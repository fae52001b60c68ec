//! Background upkeep: restores minsize after a loss, closes what has expired, and sets the waiters' timer when it
//! struck. It holds the pool weakly and ends with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use crate::ledger::Stage;
use crate::shared::Shared;
use crate::steps::quietly;
use crate::{BoxFuture, Manager};

/// Starts upkeep where it is wanted and can be had.
pub(crate) fn start<M: Manager>(shared: &Arc<Shared<M>>) {
    if !shared.config().upkeep {
        return;
    }
    let upkeep = Upkeep {
        shared: Arc::downgrade(shared),
        sleep: None,
    };
    let spawned = quietly(|| shared.backend.runtime.spawn(Box::pin(upkeep)));
    if !matches!(spawned, Some(Ok(()))) {
        shared.books().cannot_spawn();
    }
}

struct Upkeep<M: Manager> {
    shared: Weak<Shared<M>>,
    sleep: Option<(Instant, BoxFuture<'static, ()>)>,
}

impl<M: Manager> Future for Upkeep<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(shared) = self.shared.upgrade() else {
            return Poll::Ready(());
        };
        loop {
            let now = shared.now();
            let waker = cx.waker().clone();
            let (round, stale) = shared.change(None, |books, after| {
                // Said before the round: a loss that follows it wakes this task again.
                let stale = books.upkeep_wakes(waker);
                if books.stage() != Stage::Open {
                    return (None, stale);
                }
                let expiry = books.expire(now, after);
                books.fill(now, after);
                for key in books.unattended() {
                    after.tend(key);
                }
                let next = expiry.into_iter().chain(books.next_fill()).min();
                books.upkeep_waits(expiry.is_some());
                (Some((next, books.timer_to_set())), stale)
            });
            quietly(|| drop(stale));
            let Some((next, timer)) = round else {
                return Poll::Ready(());
            };
            if timer {
                shared.set_timer();
            }
            let Some(at) = next else {
                self.sleep = None;
                return Poll::Pending;
            };
            if self.sleep.as_ref().is_none_or(|(set, _)| *set != at) {
                self.sleep = Some((at, shared.backend.runtime.sleep_until(at)));
            }
            if let Some((_, sleep)) = &mut self.sleep {
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            self.sleep = None;
        }
    }
}
