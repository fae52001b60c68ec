//! Background upkeep: it restores minsize after a loss, closes connections that have expired, and sets the pool's timer
//! again after it struck. It holds the pool weakly and ends with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use crate::backend::poll_timer;
use crate::panics::ignore_panic;
use crate::shared::Shared;
use crate::{BoxFuture, Manager};

/// Starts upkeep if the setting asks for it and the runtime can spawn.
pub(crate) fn start<M: Manager>(shared: &Arc<Shared<M>>) {
    if !shared.config().upkeep {
        return;
    }
    let upkeep = Upkeep {
        shared: Arc::downgrade(shared),
        sleep: None,
    };
    let spawned = ignore_panic(|| shared.backend.runtime.spawn(Box::pin(upkeep)));
    if !matches!(spawned, Some(Ok(()))) {
        shared.ledger().cannot_spawn();
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
            let waker = cx.waker().clone();
            let (stale, next, set_timer) = shared.change(None, |ledger, effects| {
                // The waker is stored before the round: a loss that follows it wakes this task again.
                let stale = ledger.set_upkeep_waker(waker);
                let next = ledger.upkeep_round(effects);
                (stale, next, ledger.timer_to_set())
            });
            ignore_panic(|| drop(stale));
            let Some(next) = next else {
                return Poll::Ready(());
            };
            // The change has told what it could, perhaps the last of it.
            if shared.ledger().is_upkeep_over() {
                return Poll::Ready(());
            }
            if set_timer {
                // Where it cannot be set, the next caller that waits is told.
                let _ = shared.set_timer();
            }
            if !self.has_slept_until(next, &shared, cx) {
                return Poll::Pending;
            }
        }
    }
}

impl<M: Manager> Upkeep<M> {
    /// Polls the sleep until the next round. Without one, or without a timer, the next change of the pool wakes this
    /// task.
    fn has_slept_until(
        &mut self,
        next: Option<Instant>,
        shared: &Shared<M>,
        cx: &mut Context<'_>,
    ) -> bool {
        if self.sleep.as_ref().map(|(at, _)| *at) != next {
            let sleep = next.and_then(|at| Some((at, shared.backend.sleep_until(at).ok()?)));
            let old = std::mem::replace(&mut self.sleep, sleep);
            ignore_panic(|| drop(old));
        }
        let Some((_, sleep)) = &mut self.sleep else {
            return false;
        };
        let polled = poll_timer(sleep, cx);
        if !matches!(polled, Ok(Poll::Pending)) {
            let done = self.sleep.take();
            ignore_panic(|| drop(done));
        }
        matches!(polled, Ok(Poll::Ready(())))
    }
}
