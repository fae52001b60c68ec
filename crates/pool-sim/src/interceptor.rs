//! An interceptor that does what the script says, at each of its points.

use std::future::Future;
use std::sync::Arc;

use pool_core::{ConnectionInfo, Interceptor, Runtime};

use crate::calls::{Method, Record};
use crate::connection::SimConnection;
use crate::manager::begin;
use crate::script::{Outcome, Settings};
use crate::simulated::Simulated;
use crate::steps::UnderWay;

/// One of the interceptors of a pool.
pub(crate) struct SimInterceptor {
    record: Arc<Record>,
    /// It is called before all others.
    is_first: bool,
    /// Another one follows at each point.
    has_next: bool,
    /// It wants each hand-out and each return.
    wants_all: bool,
}

impl SimInterceptor {
    /// The interceptors of a pool, in order.
    pub(crate) fn all(settings: &Settings, record: &Arc<Record>) -> Vec<Self> {
        let number = match settings.interceptors {
            0 => 0,
            2 => 2,
            _ => 1,
        };
        let one = |place| Self {
            record: Arc::clone(record),
            is_first: place == 0,
            has_next: place + 1 < number,
            wants_all: settings.intercepts(),
        };
        (0..number).map(one).collect()
    }

    /// Does what the script says. `follows`: after a success, the next part of the same step begins at once.
    async fn act(&self, (step, outcome): (UnderWay, Outcome), follows: bool) -> bool {
        let succeeds = step.act(outcome).await;
        if succeeds && follows {
            step.hand_over();
        }
        succeeds
    }

    /// The same with a connection, which is unfit until that has succeeded.
    async fn act_on(&self, conn: &mut SimConnection, begun: (UnderWay, Outcome)) -> bool {
        conn.mark(|mark| mark.unfit = Some("its interceptor did not succeed"));
        let succeeds = self.act(begun, self.has_next).await;
        if succeeds {
            // It has used the connection.
            let now = self.record.runtime.now();
            conn.mark(|mark| (mark.unfit, mark.last_use) = (None, now));
        }
        succeeds
    }

    /// What the pool tells of a connection is true.
    fn check_info(&self, conn: &SimConnection, info: &ConnectionInfo) {
        let now = self.record.runtime.now();
        let wrong = conn.mark(|mark| {
            let age = now.saturating_duration_since(mark.opened);
            let is_its_id = mark.id_in_pool == 0 || mark.id_in_pool == info.id();
            // What the first one does may take time.
            let is_its_age = info.age() == age || (!self.is_first && info.age() <= age);
            let is_true = is_its_id && is_its_age && info.idle_for() <= age;
            let has_uses = info.uses() >= mark.uses;
            (!is_true || !has_uses || mark.is_held).then_some(mark.uses)
        });
        if let Some(uses) = wrong {
            let text = format!("an interceptor is told {info:?} of a connection with {uses} uses");
            self.record.blame(text);
        }
    }
}

fn result<M: Simulated>(succeeds: bool) -> Result<(), M::Error> {
    match succeeds {
        true => Ok(()),
        false => Err(M::scripted()),
    }
}

impl<M: Simulated> Interceptor<M> for SimInterceptor {
    fn before_connect(&self) -> impl Future<Output = Result<(), M::Error>> + Send {
        let begun = begin(&self.record, Method::BeforeConnect);
        async move { result::<M>(self.act(begun, true).await) }
    }

    fn after_connect(
        &self,
        conn: &mut SimConnection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        if info.uses() > 0 {
            self.record
                .blame("a connection was used before its connect was over".into());
        }
        let begun = begin(&self.record, Method::AfterConnect);
        async move { result::<M>(self.act_on(conn, begun).await) }
    }

    fn before_acquire(
        &self,
        conn: &mut SimConnection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        self.check_info(conn, info);
        let begun = begin(&self.record, Method::BeforeAcquire);
        async move {
            let succeeds = self.act_on(conn, begun).await;
            conn.mark(|mark| mark.is_seen = succeeds && !self.has_next);
            result::<M>(succeeds)
        }
    }

    fn after_release(
        &self,
        conn: &mut SimConnection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        self.check_info(conn, info);
        let begun = begin(&self.record, Method::AfterRelease);
        async move {
            let succeeds = self.act_on(conn, begun).await;
            if succeeds && !self.has_next {
                conn.mark(|mark| mark.is_unseen_return = false);
            }
            result::<M>(succeeds)
        }
    }

    fn before_close(
        &self,
        conn: &mut SimConnection,
        info: &ConnectionInfo,
    ) -> impl Future<Output = Result<(), M::Error>> + Send {
        self.check_info(conn, info);
        conn.mark(|mark| mark.unfit = Some("it is closed"));
        let begun = begin(&self.record, Method::BeforeClose);
        async move {
            let (step, outcome) = begun;
            let succeeds = step.act(outcome).await;
            // Whatever it says, the close goes on.
            step.hand_over();
            result::<M>(succeeds)
        }
    }

    fn wants_before_acquire(&self) -> bool {
        self.wants_all
    }

    fn wants_after_release(&self) -> bool {
        self.wants_all
    }
}
