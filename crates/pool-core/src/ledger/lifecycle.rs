//! How far the pool is on its way out, and who waits for its end.

use std::task::Waker;

use slotmap::{DefaultKey, SlotMap};

/// How far the pool is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Stage {
    Open,
    Closing,
    Terminated,
}

/// The number of a `wait_closed`.
#[derive(Clone, Copy)]
pub(crate) struct CloseWaiter(DefaultKey);

pub(super) struct Lifecycle {
    stage: Stage,
    /// The last `Pool` is gone, so nobody can call `wait_closed` any more.
    last_handle_dropped: bool,
    /// The `wait_closed` calls that wait, with their wakers.
    close_waiters: SlotMap<DefaultKey, Option<Waker>>,
    /// How often `clear` was called.
    clears: u64,
    /// The end of the pool was noted.
    end_is_noted: bool,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Open,
            last_handle_dropped: false,
            close_waiters: SlotMap::new(),
            clears: 0,
            end_is_noted: false,
        }
    }

    #[inline]
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Goes on to a later stage; `false` if the pool is there already.
    pub(super) fn advance(&mut self, stage: Stage) -> bool {
        let is_later = stage > self.stage;
        if is_later {
            self.stage = stage;
        }
        is_later
    }

    pub(super) fn drop_last_handle(&mut self) {
        self.last_handle_dropped = true;
    }

    /// Whether somebody can still come who drives what is left after the close.
    pub(super) fn can_be_waited_for(&self) -> bool {
        self.stage != Stage::Open && !self.last_handle_dropped
    }

    /// The pool has ended. `true` for the first time that this is asked.
    pub(super) fn is_first_end(&mut self) -> bool {
        !std::mem::replace(&mut self.end_is_noted, true)
    }

    pub(super) fn clears(&self) -> u64 {
        self.clears
    }

    pub(super) fn clear(&mut self) {
        self.clears += 1;
    }

    pub(super) fn has_close_waiters(&self) -> bool {
        !self.close_waiters.is_empty()
    }

    pub(super) fn add_close_waiter(&mut self) -> CloseWaiter {
        CloseWaiter(self.close_waiters.insert(None))
    }

    /// Stores how to wake a `wait_closed`. The old waker comes out.
    pub(super) fn store_close_waker(&mut self, key: CloseWaiter, waker: Waker) -> Option<Waker> {
        self.close_waiters.get_mut(key.0)?.replace(waker)
    }

    pub(super) fn remove_close_waiter(&mut self, key: CloseWaiter) -> Option<Waker> {
        self.close_waiters.remove(key.0)?
    }

    pub(super) fn take_close_wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.close_waiters.values_mut().filter_map(Option::take)
    }
}
