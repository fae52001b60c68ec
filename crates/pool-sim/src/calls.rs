//! What the manager's methods are told to do, and what is known of its connections.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use pool_core::{Runtime, Verdict};

use crate::aborts::Abort;
use crate::lifetimes::{Ended, Limits};
use crate::runtime::{SimRuntime, pend, pick};
use crate::script::{Outcome, Script, Settings};
use crate::simulated::CalledBack;
use crate::steps::Steps;

/// The methods of the manager that have a tape of outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Connect,
    Check,
    Recycle,
    Close,
    Dropping,
    OnRelease,
    BeforeConnect,
    AfterConnect,
    BeforeAcquire,
    AfterRelease,
    BeforeClose,
}

/// The number of tapes. All methods of the interceptors have one together.
const TAPES: usize = 7;

/// What the world and the manager share.
pub(crate) struct Record {
    page: Mutex<Page>,
    /// The pool, for a manager that calls it.
    pub(crate) pool: Mutex<Option<Arc<dyn CalledBack>>>,
    pub(crate) runtime: SimRuntime,
}

/// What is known at the moment.
pub(crate) struct Page {
    pub(crate) script: Script,
    /// How often a method of each tape was called.
    calls: [usize; TAPES],
    /// From now on every method succeeds.
    pub(crate) all_goes_well: bool,
    gates: Vec<Arc<Gate>>,
    pub(crate) steps: Steps,
    pub(crate) connections: BTreeMap<u64, Mark>,
    pub(crate) made: u64,
    /// The pool was built, somebody has a handle, and nobody has called `close` or `terminate`.
    pub(crate) pool_is_open: bool,
    /// `close`, `terminate` or the drop of the last handle has returned.
    pub(crate) is_closed: bool,
    /// `terminate` was called.
    pub(crate) is_terminating: bool,
    /// How often the manager was asked to validate its options, and was told of `echo`.
    pub(crate) told: (u32, u32),
    /// How often `clear` was called.
    pub(crate) clears: u64,
    /// How often connections were to be replaced that could be used.
    pub(crate) replacements: u64,
    pub(crate) ended: Ended,
    /// How often `retain` was called.
    pub(crate) retains: u64,
    /// How often maxsize was changed.
    pub(crate) resizes: u64,
    pub(crate) limits: Limits,
    /// There is a `pool_recycle`, or was one.
    pub(crate) expires: bool,
    /// The shortest `slow_acquire_after` that there was.
    pub(crate) shortest_slow_acquire: Duration,
    /// What `on_release` has said of the connections that have just come back, by the numbers of the pool.
    pub(crate) verdicts: BTreeMap<u64, Verdict>,
    /// The pool is suspended.
    pub(crate) is_suspended: bool,
    /// How many calls of `fill` and `build` there were: what they open is opened in a suspended pool, too.
    pub(crate) fills: u64,
    /// How many were open when somebody looked last.
    was_open: usize,
    /// `max_connecting` was changed: connects that were planned or ran before go on.
    max_connecting_changed: bool,
    /// How many runs have tried again.
    pub(crate) repeats: u64,
    /// The connections that a `run` holds, by the numbers of the pool.
    pub(crate) held_by_runs: BTreeSet<u64>,
    /// The connections that `on_release` did not want back.
    pub(crate) unwanted: BTreeSet<u64>,
    pub(crate) violations: Vec<String>,
    /// How often the manager may still take a connection from its own pool.
    takes_left: u32,
    /// How many steps did something else than succeed at once.
    pub(crate) faults: u64,
    /// How many steps were dropped at their deadline.
    pub(crate) late_steps: u64,
    /// How many connections were aborted.
    pub(crate) aborts: u64,
}

/// What is known of a connection.
pub(crate) struct Mark {
    pub(crate) is_broken: bool,
    pub(crate) is_held: bool,
    /// Its last holder may have left something in it.
    pub(crate) is_dirty: bool,
    /// Why it must not be handed out.
    pub(crate) unfit: Option<&'static str>,
    /// It was connected, checked or recycled since its last holder.
    pub(crate) is_proven: bool,
    /// It was checked since it became idle.
    pub(crate) is_checked: bool,
    /// When it was connected, given back or recycled.
    pub(crate) last_use: Instant,
    /// An interceptor has passed it since its last holder.
    pub(crate) is_seen: bool,
    /// It came back, and no interceptor has passed it since.
    pub(crate) is_unseen_return: bool,
    /// `clear_all` was called since its connect began.
    pub(crate) is_cleared: bool,
    /// One like it was lost, and it was not checked since.
    pub(crate) is_suspect: bool,
    /// When it has to be gone, since `recycle_all` was called.
    pub(crate) leaves: Option<Instant>,
    /// It has left the pool alive: it was detached, or held by somebody when the pool was terminated.
    pub(crate) is_off_books: bool,
    /// Its present holder has sent something.
    pub(crate) was_sent: bool,
    /// Something was stored with it.
    pub(crate) has_extension: bool,
    /// How often it was seen in somebody's hands.
    pub(crate) uses: u64,
    pub(crate) opened: Instant,
    pub(crate) abort: Abort,
    /// The number that the pool has given it; 0 before it was handed out.
    pub(crate) id_in_pool: u64,
}

struct Gate {
    is_open: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Record {
    pub(crate) fn new(script: Script, runtime: SimRuntime) -> Arc<Self> {
        let settings = script.settings.clone();
        let record = Self {
            page: Mutex::new(Page {
                script,
                calls: [0; TAPES],
                all_goes_well: false,
                gates: Vec::new(),
                steps: Steps::default(),
                connections: BTreeMap::new(),
                made: 0,
                pool_is_open: false,
                is_closed: false,
                is_terminating: false,
                told: (0, 0),
                clears: 0,
                replacements: 0,
                ended: Ended::default(),
                retains: 0,
                resizes: 0,
                limits: Limits::default(),
                expires: false,
                shortest_slow_acquire: Duration::MAX,
                verdicts: BTreeMap::new(),
                is_suspended: false,
                fills: 0,
                was_open: 0,
                max_connecting_changed: false,
                repeats: 0,
                held_by_runs: BTreeSet::new(),
                unwanted: BTreeSet::new(),
                violations: Vec::new(),
                takes_left: 20,
                faults: 0,
                late_steps: 0,
                aborts: 0,
            }),
            pool: Mutex::new(None),
            runtime,
        };
        record.page().settings_are(&settings);
        Arc::new(record)
    }

    pub(crate) fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn blame(&self, what: String) {
        self.page().violations.push(what);
    }

    /// What this call of a method does.
    pub(crate) fn next(&self, method: Method) -> Outcome {
        let mut page = self.page();
        let tape = (method as usize).min(TAPES - 1);
        let number = page.calls[tape];
        page.calls[tape] += 1;
        if page.all_goes_well {
            return Outcome::Ok;
        }
        let tape = match method {
            Method::Connect => &page.script.connect,
            Method::Check => &page.script.check,
            Method::Recycle => &page.script.recycle,
            Method::Close => &page.script.close,
            Method::Dropping => &page.script.dropping,
            Method::OnRelease => &page.script.on_release,
            _ => &page.script.intercept,
        };
        let outcome = tape.get(number).copied().unwrap_or(Outcome::Ok);
        page.faults += u64::from(outcome != Outcome::Ok);
        outcome
    }

    /// The part of a step that takes time. Returns whether the step succeeds.
    ///
    /// # Panics
    ///
    /// Where the outcome is a panic.
    pub(crate) async fn act(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Ok | Outcome::Reuse => true,
            Outcome::Err | Outcome::Discard => false,
            Outcome::Panic | Outcome::PanicInCall => panic!("scripted"),
            Outcome::Pend(times) => {
                pend(times).await;
                true
            }
            Outcome::Delay(time) => {
                let until = self.runtime.now() + Duration::from_millis(time.into());
                self.runtime.sleep_until(until).await;
                true
            }
            Outcome::Gate => {
                self.gate().await;
                true
            }
            Outcome::GateErr => {
                self.gate().await;
                false
            }
            Outcome::GatePanic => {
                self.gate().await;
                panic!("scripted")
            }
        }
    }

    /// Waits until somebody opens the gate.
    fn gate(&self) -> impl Future<Output = ()> {
        let gate = Arc::new(Gate {
            is_open: AtomicBool::new(false),
            waker: Mutex::new(None),
        });
        let mut page = self.page();
        match page.all_goes_well {
            true => gate.is_open.store(true, Ordering::Relaxed),
            false => page.gates.push(Arc::clone(&gate)),
        }
        drop(page);
        poll_fn(move |cx| {
            if gate.is_open.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            let old = gate.waker.lock();
            let old = old.unwrap_or_else(PoisonError::into_inner).replace(waker);
            drop(old);
            Poll::Pending
        })
    }

    /// Opens one of the gates. Returns whether there was one.
    pub(crate) fn open_gate(&self, which: u16) -> bool {
        let mut page = self.page();
        let Some(gate) = pick(&page.gates, which).cloned() else {
            return false;
        };
        page.gates.retain(|other| !Arc::ptr_eq(other, &gate));
        drop(page);
        gate.is_open.store(true, Ordering::Relaxed);
        let waker = gate.waker.lock();
        let waker = waker.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }
}

impl Page {
    /// From now on the pool has these settings.
    pub(crate) fn settings_are(&mut self, settings: &Settings) {
        self.limits.note(settings);
        self.expires |= settings.pool_recycle > 0;
        if settings.slow_acquire_after > 0 {
            let limit = Duration::from_millis(settings.slow_acquire_after.into());
            self.shortest_slow_acquire = self.shortest_slow_acquire.min(limit);
        }
        self.max_connecting_changed |=
            settings.max_connecting != self.script.settings.max_connecting;
        self.script.settings = settings.clone();
        self.trust_all();
    }

    /// Connections of the pool, and connects under way.
    pub(crate) fn open(&self) -> usize {
        // One that an interceptor has after its connect lives.
        let under_way = [Method::BeforeConnect, Method::Connect];
        let counts = under_way.map(|method| self.steps.count_calls(method));
        self.live() + counts.iter().sum::<usize>()
    }

    /// Connections of the pool.
    pub(crate) fn live(&self) -> usize {
        let marks = self.connections.values();
        marks.filter(|mark| !mark.is_off_books).count()
    }

    /// Connections of the pool that somebody holds.
    pub(crate) fn held(&self) -> usize {
        let marks = self.connections.values();
        marks
            .filter(|mark| mark.is_held && !mark.is_off_books)
            .count()
    }

    /// Promise 1, for the connections themselves: there are never more than maxsize, also while the pool is being closed.
    /// After maxsize was made smaller, they only get fewer until they fit.
    pub(crate) fn check_bound(&mut self) {
        let maxsize = usize::from(self.script.settings.maxsize);
        let open = self.open();
        let was_open = std::mem::replace(&mut self.was_open, open);
        if maxsize != 0 && open > maxsize && open > was_open {
            self.violations.push(format!(
                "I1: {open} open or connecting, maxsize is {maxsize}"
            ));
        }
        let most = usize::from(self.script.settings.max_connecting);
        let connects = self.steps.count(Method::Connect);
        if most != 0 && connects > most && !self.max_connecting_changed {
            self.violations.push(format!(
                "{connects} connects at once, max_connecting is {most}"
            ));
        }
    }
}

impl Page {
    /// How often something has happened for which a connection is discarded that nothing is wrong with.
    pub(crate) fn discards(&self) -> (u64, u64) {
        (self.clears, self.resizes)
    }

    /// Whether the manager may take a connection from its pool once more.
    pub(crate) fn may_take(&mut self) -> bool {
        let may = self.takes_left > 0;
        self.takes_left -= u32::from(may);
        may
    }

    /// Whether the script has one of these outcomes.
    pub(crate) fn has_any(&self, wanted: &[Outcome]) -> bool {
        let mut tapes = self.script.tapes().into_iter();
        tapes.any(|(_, tape)| tape.iter().any(|outcome| wanted.contains(outcome)))
    }
}
