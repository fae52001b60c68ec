//! How far the pool is on its way out, who waits for that, and whether it hands out connections at the moment.

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

/// The number of a future that waits until the pool begins to close.
#[derive(Clone, Copy)]
pub(crate) struct ClosingWaiter(DefaultKey);

pub(super) struct Lifecycle {
    stage: Stage,
    /// Whether a return may take the fast case: the pool is open, not suspended, not larger than maxsize, needs no instant
    /// for it, and need not look at the connection.
    returns_fast: bool,
    is_suspended: bool,
    /// There are more connections than maxsize, those on their way out included, or there were when somebody looked last.
    is_shrinking: bool,
    /// The instant of each return is needed, and the fast case does not know it.
    stamps_all_returns: bool,
    /// A connection that comes back may have lived long enough, or be one too many that is idle.
    looks_at_returns: bool,
    /// The last `Pool` is gone, so nobody can call `wait_closed` any more.
    last_handle_dropped: bool,
    /// The `wait_closed` calls that wait, with their wakers.
    close_waiters: SlotMap<DefaultKey, Option<Waker>>,
    /// Those who wait until the pool begins to close, with their wakers.
    closing_waiters: SlotMap<DefaultKey, Option<Waker>>,
    /// How often `clear` was called.
    clears: u64,
    /// The end of the pool was noted.
    end_is_noted: bool,
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Open,
            returns_fast: true,
            is_suspended: false,
            is_shrinking: false,
            stamps_all_returns: false,
            looks_at_returns: false,
            last_handle_dropped: false,
            close_waiters: SlotMap::new(),
            closing_waiters: SlotMap::new(),
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
            self.is_suspended = false;
            self.update();
        }
        is_later
    }

    fn update(&mut self) {
        self.returns_fast = self.is_open()
            && !self.is_suspended
            && !self.is_shrinking
            && !self.stamps_all_returns
            && !self.looks_at_returns;
    }

    /// Whether a return may take the fast case, as far as the stage of the pool is concerned.
    #[inline]
    pub(super) fn returns_fast(&self) -> bool {
        self.returns_fast
    }

    /// Whether the pool hands out connections: it is open and not suspended.
    #[inline]
    pub(super) fn serves(&self) -> bool {
        self.is_open() && !self.is_suspended
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.is_suspended
    }

    /// Suspends the pool, or ends that; `false` if that changes nothing.
    pub(super) fn set_suspended(&mut self, is_suspended: bool) -> bool {
        if !self.is_open() || self.is_suspended == is_suspended {
            return false;
        }
        self.is_suspended = is_suspended;
        self.update();
        true
    }

    #[inline]
    pub(super) fn is_shrinking(&self) -> bool {
        self.is_shrinking
    }

    pub(super) fn set_shrinking(&mut self, is_shrinking: bool) {
        self.is_shrinking = is_shrinking;
        self.update();
    }

    /// From now on no return takes the fast case, which does not know the time.
    pub(super) fn stamp_all_returns(&mut self) {
        self.stamps_all_returns = true;
        self.update();
    }

    /// Whether each connection that comes back has to be looked at.
    pub(super) fn look_at_returns(&mut self, looks: bool) {
        self.looks_at_returns = looks;
        self.update();
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

    /// Stores how to wake somebody who waits until the pool begins to close. His number comes out, and his old waker.
    pub(super) fn store_closing_waker(
        &mut self,
        key: Option<ClosingWaiter>,
        waker: Waker,
    ) -> (ClosingWaiter, Option<Waker>) {
        match key.and_then(|key| Some((key, self.closing_waiters.get_mut(key.0)?))) {
            Some((key, known)) => (key, known.replace(waker)),
            None => (
                ClosingWaiter(self.closing_waiters.insert(Some(waker))),
                None,
            ),
        }
    }

    pub(super) fn remove_closing_waiter(&mut self, key: ClosingWaiter) -> Option<Waker> {
        self.closing_waiters.remove(key.0)?
    }

    pub(super) fn take_closing_wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.closing_waiters.values_mut().filter_map(Option::take)
    }
}
