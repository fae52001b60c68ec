//! The test's side of the fake manager: scripts, counters, and what went wrong.

use std::sync::{Arc, Weak};

use pool_core::Verdict;

use super::connection::Marks;
use super::record::{Hook, Page, Record, Script};
use super::step::{Step, Verb};

/// The handle that a test keeps while the manager lives in its pool.
///
/// Its drop panics when something happened that must never happen (more connections than maxsize, two holders of one
/// connection), so that no test has to remember to ask.
#[derive(Clone)]
pub struct FakeControl {
    record: Arc<Record>,
    manager: Weak<()>,
}

impl FakeControl {
    pub(super) fn new(record: Arc<Record>, manager: Weak<()>) -> Self {
        Self { record, manager }
    }

    pub(super) fn record(&self) -> &Arc<Record> {
        &self.record
    }

    fn count<T>(&self, read: impl FnOnce(&Page) -> T) -> T {
        read(&self.record.page())
    }

    /// Connections opened so far.
    pub fn made(&self) -> usize {
        self.count(|page| page.made)
    }

    /// Connections dropped so far, by whomever.
    pub fn closed(&self) -> usize {
        self.count(|page| page.closed)
    }

    /// Connections that are open.
    pub fn live(&self) -> usize {
        self.count(|page| page.made - page.closed)
    }

    /// The most that were ever open or connecting at once.
    pub fn peak(&self) -> usize {
        self.count(|page| page.peak)
    }

    /// The most connects that were ever in flight at once.
    pub fn peak_in_connect(&self) -> usize {
        self.count(|page| page.peak_in_connect)
    }

    /// Connects in flight.
    pub fn in_connect(&self) -> usize {
        self.count(|page| page.in_connect)
    }

    /// Connections that an interceptor has in `after_connect`: for the pool they are still being connected.
    pub fn in_after_connect(&self) -> usize {
        self.count(|page| page.in_after_connect)
    }

    /// How often a method was called.
    pub fn calls(&self, verb: Verb) -> usize {
        self.count(|page| page.calls.get(&verb).copied().unwrap_or(0))
    }

    /// How often `connect` was called.
    pub fn connects(&self) -> usize {
        self.calls(Verb::Connect)
    }

    /// How often `check` was called.
    pub fn checks(&self) -> usize {
        self.calls(Verb::Check)
    }

    /// How often `recycle` was called.
    pub fn recycles(&self) -> usize {
        self.calls(Verb::Recycle)
    }

    /// How often `close` was called.
    pub fn close_calls(&self) -> usize {
        self.calls(Verb::Close)
    }

    /// Every call so far with the number of its connection; connects have 0.
    pub fn log(&self) -> Vec<(Verb, u64)> {
        self.count(|page| page.log.clone())
    }

    /// The echo setting that the pool passed to the manager.
    pub fn echo(&self) -> Option<bool> {
        self.count(|page| page.echo)
    }

    /// What the next call of this method without a step of its own does.
    pub fn next(&self, verb: Verb, step: Step) -> &Self {
        self.script(verb, |script| script.queue.push_back(step))
    }

    /// What the next `times` calls without a step of their own do.
    pub fn next_times(&self, verb: Verb, times: usize, step: Step) -> &Self {
        self.script(verb, |script| {
            script.queue.extend(std::iter::repeat_n(step, times));
        })
    }

    /// What every call does that has no step of its own.
    pub fn always(&self, verb: Verb, step: Step) -> &Self {
        self.script(verb, |script| script.fallback = step)
    }

    /// Forgets every script and verdict: from now on all goes well.
    pub fn all_goes_well(&self) {
        let mut page = self.record.page();
        page.scripts.clear();
        page.verdicts.clear();
        page.verdict = None;
    }

    fn script(&self, verb: Verb, change: impl FnOnce(&mut Script)) -> &Self {
        change(self.record.page().scripts.entry(verb).or_default());
        self
    }

    /// What the next release is answered.
    pub fn next_verdict(&self, verdict: Verdict) -> &Self {
        self.record.page().verdicts.push_back(verdict);
        self
    }

    /// What every release without a verdict of its own is answered; by default a broken connection is discarded and
    /// any other is recycled.
    pub fn always_verdict(&self, verdict: Verdict) -> &Self {
        self.record.page().verdict = Some(verdict);
        self
    }

    /// Connections made from now on have an abort handle.
    pub fn give_abort_handles(&self) -> &Self {
        self.record.page().abort_handles = true;
        self
    }

    /// Runs something of the test's in every call of this method.
    pub fn on_call(&self, verb: Verb, hook: impl Fn() + Send + Sync + 'static) -> &Self {
        let hook: Hook = Arc::new(hook);
        self.record.page().hooks.insert(verb, hook);
        self
    }

    /// Takes the hook of [`on_call`](FakeControl::on_call) away.
    pub fn no_hook(&self, verb: Verb) {
        let hook = self.record.page().hooks.remove(&verb);
        drop(hook);
    }

    /// An open connection by its number.
    ///
    /// # Panics
    ///
    /// When it is not open.
    #[track_caller]
    pub fn connection(&self, id: u64) -> Arc<Marks> {
        let marks = self.count(|page| page.connections.get(&id).cloned());
        marks.unwrap_or_else(|| panic!("connection {id} is not open"))
    }

    /// The numbers of all open connections.
    pub fn open_connections(&self) -> Vec<u64> {
        self.count(|page| page.connections.keys().copied().collect())
    }

    /// Breaks every connection that is open now.
    pub fn break_all(&self) {
        let all: Vec<_> = self.count(|page| page.connections.values().cloned().collect());
        for marks in all {
            marks.break_it();
        }
    }

    /// Whether the manager is still there; it goes with the last of its pool.
    pub fn manager_is_alive(&self) -> bool {
        self.manager.strong_count() > 0
    }

    /// What must never happen did not happen.
    ///
    /// # Panics
    ///
    /// When it did.
    #[track_caller]
    pub fn assert_no_violation(&self) {
        let violations = std::mem::take(&mut self.record.page().violations);
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

impl Drop for FakeControl {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_no_violation();
        }
    }
}
