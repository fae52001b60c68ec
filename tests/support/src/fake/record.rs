//! What the fake manager counts, and its script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pool_core::{Runtime, Verdict};

use super::connection::Marks;
use super::step::{Step, Verb};

/// Something of the test's that runs in a call of the manager.
pub(super) type Hook = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct Page {
    pub(super) made: usize,
    pub(super) closed: usize,
    pub(super) in_connect: usize,
    /// Connections that are open and still with an interceptor of their connect.
    pub(super) in_after_connect: usize,
    pub(super) peak: usize,
    pub(super) peak_in_connect: usize,
    pub(super) calls: BTreeMap<Verb, usize>,
    pub(super) scripts: BTreeMap<Verb, Script>,
    pub(super) verdicts: VecDeque<Verdict>,
    pub(super) verdict: Option<Verdict>,
    pub(super) abort_handles: bool,
    pub(super) echo: Option<bool>,
    pub(super) hooks: BTreeMap<Verb, Hook>,
    pub(super) connections: BTreeMap<u64, Arc<Marks>>,
    pub(super) log: Vec<(Verb, u64)>,
    pub(super) violations: Vec<String>,
}

#[derive(Default)]
pub(super) struct Script {
    pub(super) queue: VecDeque<Step>,
    pub(super) fallback: Step,
}

pub(super) struct Record {
    page: Mutex<Page>,
    maxsize: usize,
    pub(super) clock: OnceLock<Arc<dyn Runtime>>,
}

impl Record {
    pub(super) fn new(maxsize: usize) -> Self {
        Self {
            page: Mutex::default(),
            maxsize,
            clock: OnceLock::new(),
        }
    }

    pub(super) fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, runs the test's hook and answers what the script says.
    pub(super) fn begin(&self, verb: Verb, connection: u64) -> (usize, Step) {
        let mut page = self.page();
        page.log.push((verb, connection));
        let call = page.calls.entry(verb).or_default();
        *call += 1;
        let call = *call;
        let script = page.scripts.entry(verb).or_default();
        let step = script
            .queue
            .pop_front()
            .unwrap_or_else(|| script.fallback.clone());
        let hook = page.hooks.get(&verb).cloned();
        drop(page);
        if let Some(hook) = hook {
            hook();
        }
        (call, step)
    }

    /// At this instant, open connections and connects in flight are at most maxsize.
    pub(super) fn watch_bound(&self, page: &mut Page) {
        let open = page.made - page.closed + page.in_connect;
        page.peak = page.peak.max(open);
        page.peak_in_connect = page.peak_in_connect.max(page.in_connect);
        if self.maxsize != 0 && open > self.maxsize {
            page.violations.push(format!(
                "{} live and {} connecting exceed maxsize {}",
                page.made - page.closed,
                page.in_connect,
                self.maxsize
            ));
        }
    }
}
