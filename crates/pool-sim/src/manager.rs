//! A manager that does what the script says.

use std::borrow::Cow;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use pool_core::{AbortHandle, ConfigError, ErrorClass, Manager, Runtime, Verdict};

use crate::aborts;
use crate::calls::{Method, Record};
use crate::connection::SimConnection;
use crate::script::Outcome;
use crate::steps::{UnderWay, kind_of};
use crate::task;

pub(crate) struct SimManager {
    pub(crate) record: Arc<Record>,
    /// Its references are counted, to see whether the manager is still there.
    pub(crate) _life: Arc<()>,
    pub(crate) idle_limit: Option<Duration>,
    pub(crate) abort_handles: u16,
}

thread_local! {
    /// A method of the manager is calling the pool.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// A step failed, as the script says.
#[derive(Debug)]
pub(crate) struct Scripted;

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

impl Error for Scripted {}

/// A method of a step begins. Returns what it is to do.
pub(crate) fn begin(record: &Arc<Record>, method: Method) -> (UnderWay, Outcome) {
    let (step, follows) = UnderWay::begin(record, method);
    if kind_of(method) == Method::Connect {
        let mut page = record.page();
        page.check_bound();
        if page.is_closed && !follows && method != Method::AfterConnect {
            page.violations
                .push("a connect began after the close".into());
        }
        if page.is_suspended && page.fills == 0 && !follows && method != Method::AfterConnect {
            let text = "a connect began in a suspended pool";
            page.violations.push(text.into());
        }
    }
    task::outside_of_tasks(|| call_the_pool(record));
    let outcome = record.next(method);
    if outcome == Outcome::PanicInCall {
        panic!("scripted");
    }
    (step, outcome)
}

/// Calls the pool from inside, where the script says so: no method runs under the pool's lock.
fn call_the_pool(record: &Arc<Record>) {
    let pool = record.pool.lock();
    let pool = pool.unwrap_or_else(PoisonError::into_inner).clone();
    let Some(pool) = pool.filter(|_| !IS_INSIDE.replace(true)) else {
        return;
    };
    let status = pool.counts();
    // After a resize the world looks at how it gets smaller.
    let was_resized = record.page().resizes > 0;
    if !was_resized && status.maxsize() != 0 && status.size() > status.maxsize() {
        record.blame(format!("I1: size exceeds maxsize; {status}"));
    }
    // Two connections would otherwise recycle each other for ever.
    let may_take = record.page().may_take();
    let wrong = may_take.then(|| pool.take_and_release()).flatten();
    if let Some(wrong) = wrong {
        record.blame(wrong);
    }
    IS_INSIDE.set(false);
}

impl SimManager {
    /// A step begins. Returns what it is to do.
    fn begin(&self, method: Method) -> (UnderWay, Outcome) {
        begin(&self.record, method)
    }

    /// A method is done. Interceptors follow in the same step, if there are any that want it.
    fn is_done(&self, step: &UnderWay, method: Method) {
        let settings = self.record.page().script.settings.clone();
        let follows = match method {
            Method::Connect => settings.interceptors > 0,
            _ => settings.intercepts(),
        };
        if follows {
            step.hand_over();
        }
    }

    /// A check or a recycle of a connection, which is unfit until it has succeeded.
    async fn step(
        &self,
        conn: &mut SimConnection,
        (step, outcome): (UnderWay, Outcome),
        method: Method,
        unfit: &'static str,
    ) -> Result<(), Scripted> {
        conn.mark(|mark| mark.unfit = Some(unfit));
        let succeeds = step.act(outcome).await;
        let now = self.record.runtime.now();
        let result = conn.mark(|mark| {
            if !succeeds || mark.is_broken {
                return Err(Scripted);
            }
            mark.unfit = None;
            mark.is_proven = true;
            // It may have expired during the step, which has just shown that it works.
            mark.last_use = now;
            Ok(())
        });
        if result.is_ok() {
            self.is_done(&step, method);
        }
        result
    }
}

impl Manager for SimManager {
    type Connection = SimConnection;
    type Error = Scripted;

    fn connect(&self) -> impl Future<Output = Result<SimConnection, Scripted>> + Send {
        let (step, outcome) = self.begin(Method::Connect);
        let begun = self.record.page().ended.now();
        async move {
            let succeeds = step.act(outcome).await;
            if succeeds {
                self.is_done(&step, Method::Connect);
            }
            drop(step);
            match succeeds {
                true => Ok(SimConnection::open(&self.record, begun)),
                false => Err(Scripted),
            }
        }
    }

    fn check(&self, conn: &mut SimConnection) -> impl Future<Output = Result<(), Scripted>> + Send {
        let begun = self.begin(Method::Check);
        async move {
            let unfit = "its check did not succeed";
            self.step(conn, begun, Method::Check, unfit).await?;
            conn.mark(|mark| (mark.is_checked, mark.is_suspect) = (true, false));
            Ok(())
        }
    }

    fn recycle(
        &self,
        conn: &mut SimConnection,
    ) -> impl Future<Output = Result<(), Scripted>> + Send {
        let begun = self.begin(Method::Recycle);
        async move {
            let unfit = "its recycle did not succeed";
            self.step(conn, begun, Method::Recycle, unfit).await?;
            conn.mark(|mark| mark.is_dirty = false);
            Ok(())
        }
    }

    fn on_release(&self, conn: &mut SimConnection) -> Verdict {
        task::outside_of_tasks(|| call_the_pool(&self.record));
        let outcome = self.record.next(Method::OnRelease);
        let is_broken = conn.mark(|mark| mark.is_broken);
        let verdict = match outcome {
            _ if is_broken => Verdict::Discard,
            Outcome::Reuse => Verdict::Reuse,
            Outcome::Err | Outcome::Discard | Outcome::GateErr => Verdict::Discard,
            Outcome::Panic | Outcome::PanicInCall | Outcome::GatePanic => {
                conn.mark(|mark| mark.unfit = Some("its on_release panicked"));
                panic!("scripted");
            }
            _ => Verdict::Recycle,
        };
        if verdict == Verdict::Discard {
            self.record.page().unwanted.insert(conn.id);
        }
        let id = conn.mark(|mark| {
            match verdict {
                Verdict::Reuse => mark.is_dirty = false,
                Verdict::Discard => mark.unfit = Some("it was to be discarded"),
                _ => {}
            }
            mark.id_in_pool
        });
        if id != 0 {
            self.record.page().verdicts.insert(id, verdict);
        }
        verdict
    }

    fn is_lost(&self, conn: &SimConnection) -> bool {
        task::outside_of_tasks(|| call_the_pool(&self.record));
        let is_lost = conn.mark(|mark| mark.is_broken);
        if is_lost && conn.id % 5 == 4 {
            panic!("scripted");
        }
        if is_lost {
            self.record.was_lost(conn);
        }
        is_lost
    }

    fn was_unused(&self, conn: &SimConnection) -> bool {
        conn.mark(|mark| !mark.was_sent)
    }

    fn close(&self, conn: SimConnection) -> impl Future<Output = ()> + Send {
        conn.mark(|mark| mark.unfit = Some("it is closed"));
        let (step, outcome) = self.begin(Method::Close);
        async move {
            step.act(outcome).await;
            drop(conn);
        }
    }

    fn abort_handle(&self, conn: &SimConnection) -> Option<AbortHandle> {
        aborts::handle(conn, self.abort_handles)
    }

    fn classify(&self, _: &Scripted) -> ErrorClass {
        // The class decides the pause before the next background connect.
        match self.record.page().made % 3 {
            0 => ErrorClass::Auth,
            1 => ErrorClass::Overloaded,
            _ => ErrorClass::Transient,
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.record.page().told.0 += 1;
        Ok(())
    }

    fn discard_reason(&self, _: &SimConnection) -> Option<Cow<'static, str>> {
        Some("the script says so".into())
    }

    fn set_echo(&mut self, on: bool) {
        self.record.page().told.1 += 1;
        if on {
            self.record.blame("echo is on".into());
        }
    }

    fn idle_limit(&self, _: &SimConnection) -> Option<Duration> {
        self.idle_limit
    }
}
