//! Ending, at the server, what an aborted or cancelled connection is doing there.
//!
//! A server does not notice that the client of a long query has gone: it works on. Only KILL through another connection
//! ends it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use pool_core::{AbortHandle, Runtime};

use crate::connection::Connection;
use crate::connection::open::open;
use crate::options::{Blueprint, IoRuntime};
use crate::transport::abort::Signal;
use crate::transport::io_runtime::{MySqlRuntime, within};

/// How long one pass over the waiting connections may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before a side connection is tried again that a full server has refused.
const PAUSE: Duration = Duration::from_millis(50);

/// Kills connections through one side connection, however many there are to kill.
#[derive(Default)]
pub(crate) struct Killer {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    victims: Vec<Victim>,
    at_work: bool,
}

struct Victim {
    connection_id: u64,
    /// A number means nothing without the server that gave it: behind one address there may be several.
    identity: (String, u64),
    opened: Instant,
}

impl Connection {
    /// A way to end it while somebody holds it: its command answers
    /// [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed) at once, and the server ends it too.
    pub(crate) fn abort_handle(&self) -> Option<AbortHandle> {
        let signal = Arc::clone(&self.gate.signal);
        let blueprint = Arc::clone(&self.blueprint);
        let identity = self.server.identity.clone();
        let opened = self.opened;
        Some(AbortHandle::new(move || {
            signal.abort();
            if let Some(identity) = identity {
                let victim = Victim {
                    // The connection may have been opened anew meanwhile.
                    connection_id: signal.connection_id(),
                    identity,
                    opened,
                };
                blueprint.killer.kill(&blueprint, victim);
            }
        }))
    }

    /// Ends the connection at the server when it is dropped, where the options say so.
    ///
    /// For a command: its future may be dropped before the server has answered.
    pub(crate) fn kill_if_dropped(&self) -> KillIfDropped {
        let armed = self.blueprint.options.kill_on_cancel;
        let identity = self.server.identity.as_ref().filter(|_| armed);
        KillIfDropped(identity.map(|identity| {
            Box::new(Armed {
                blueprint: Arc::clone(&self.blueprint),
                signal: Arc::clone(&self.gate.signal),
                victim: Victim {
                    connection_id: self.server.connection_id,
                    identity: identity.clone(),
                    opened: self.opened,
                },
            })
        }))
    }
}

/// Tells the server to end a connection, unless it is disarmed before it is dropped.
#[must_use]
pub(crate) struct KillIfDropped(Option<Box<Armed>>);

struct Armed {
    blueprint: Arc<Blueprint>,
    signal: Arc<Signal>,
    victim: Victim,
}

impl KillIfDropped {
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for KillIfDropped {
    fn drop(&mut self) {
        if let Some(armed) = self.0.take() {
            // Whoever has aborted it has told the server too.
            if !armed.signal.is_aborted() {
                armed.blueprint.killer.kill(&armed.blueprint, armed.victim);
            }
        }
    }
}

impl Killer {
    fn kill(self: &Arc<Self>, blueprint: &Blueprint, victim: Victim) {
        let Ok(beside) = blueprint.beside().map(Arc::new) else {
            return;
        };
        let mut waiting = self.waiting();
        waiting.victims.push(victim);
        if std::mem::replace(&mut waiting.at_work, true) {
            return;
        }
        drop(waiting);
        let killer = Arc::clone(self);
        let work = async move { killer.work(&beside).await };
        if MySqlRuntime::new().spawn(Box::pin(work)).is_err() {
            self.waiting().at_work = false;
        }
    }

    async fn work(&self, beside: &Arc<Blueprint>) {
        loop {
            let victims = {
                let mut waiting = self.waiting();
                if waiting.victims.is_empty() {
                    waiting.at_work = false;
                    return;
                }
                std::mem::take(&mut waiting.victims)
            };
            let number = victims.len();
            if within(Some(PATIENCE), kill_all(beside, victims)).await != Some(true) {
                tracing::debug!(number, "the server could not be told to kill connections");
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the server has heard of all of them.
async fn kill_all(beside: &Arc<Blueprint>, victims: Vec<Victim>) -> bool {
    let Some(mut side) = side_connection(beside).await else {
        return false;
    };
    let Some(up) = uptime(&mut side).await else {
        return false;
    };
    let mut all = true;
    for victim in victims {
        // A server that was started after the victim has given its number to somebody else, if to anybody.
        let is_the_same = side.server.identity.as_ref() == Some(&victim.identity)
            && up >= victim.opened.elapsed().as_secs();
        if is_the_same {
            let kill = format!("KILL {}", victim.connection_id);
            // It may be gone already: error 1094.
            let result = side.query_drop(kill).await;
            all &= !side.is_closed() && !matches!(result, Err(mysql_async::Error::Io(_)));
        }
    }
    let _ = side.ensure_closed().await;
    all
}

async fn side_connection(beside: &Arc<Blueprint>) -> Option<Connection> {
    let runtime = MySqlRuntime::new();
    loop {
        match open(Arc::clone(beside), false).await {
            Ok(side) => return Some(side),
            // The aborted connections may be the ones that fill the server: they are being closed.
            Err(error) if crate::error::classify(&error) == pool_core::ErrorClass::Overloaded => {
                runtime.sleep_until(runtime.now() + PAUSE).await;
            }
            Err(_) => return None,
        }
    }
}

/// For how many seconds the server has been running.
async fn uptime(side: &mut Connection) -> Option<u64> {
    let row: Option<(String, u64)> = side
        .query_first("SHOW GLOBAL STATUS LIKE 'Uptime'")
        .await
        .ok()?;
    row.map(|(_, seconds)| seconds)
}

impl Blueprint {
    /// The same server and account for a connection beside the others, which needs nothing of their session.
    fn beside(&self) -> Result<Self, pool_core::ConfigError> {
        let mut options = self.options.clone();
        options.db = None;
        options.charset = None;
        options.sql_mode = None;
        options.init_command = None;
        options.autocommit = None;
        options.kill_on_cancel = false;
        options.io_runtime = IoRuntime::Background;
        Self::new(options)
    }
}
