//! Aborting a connection from outside, and telling the server to end a command whose future was dropped.

use std::sync::Arc;

use pool_core::AbortHandle;

use crate::connection::Connection;
use crate::error::closed_because::ClosedBecause;
use crate::transport::abort::Signal;
use crate::transport::connector::Connector;
use crate::transport::kill_queue::Victim;

impl Connection {
    /// A way to end the connection while somebody holds it: the command under way answers
    /// [`ConnectionClosed`](mysql_async::DriverError::ConnectionClosed) at once, and the server is told to KILL it.
    pub(crate) fn abort_handle(&self) -> Option<AbortHandle> {
        let signal = Arc::clone(&self.signal);
        let connector = Arc::clone(&self.connector);
        Some(AbortHandle::new(move || {
            signal.abort_after(ClosedBecause::Terminated, || {
                if let Some(victim) = signal.victim() {
                    connector.kill(victim);
                }
            });
        }))
    }

    /// What to tell the server to KILL; `None` where the server did not say enough about itself.
    pub(crate) fn victim(&self) -> Option<Victim> {
        Some(Victim {
            connection_id: self.server.connection_id,
            identity: self.server.identity.clone()?,
            opened: self.opened,
            reached: self.server.reached,
            issued: self.issued.clone(),
        })
    }

    /// For the time of a command: if its future is dropped before the server has answered, the server is told to KILL the
    /// connection, where the options say so.
    pub(crate) fn kill_if_dropped(&self) -> KillIfDropped {
        if !self.options().kill_on_cancel {
            return KillIfDropped(None);
        }
        let armed = |victim| Armed {
            connector: Arc::clone(&self.connector),
            signal: Arc::clone(&self.signal),
            victim,
        };
        KillIfDropped(self.victim().map(armed).map(Box::new))
    }
}

/// Tells the server to end a connection, unless it is disarmed before it is dropped.
#[must_use]
pub(crate) struct KillIfDropped(Option<Box<Armed>>);

struct Armed {
    connector: Arc<Connector>,
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
            let Armed {
                connector,
                signal,
                victim,
            } = *armed;
            // An abort has told the server already.
            if !signal.is_aborted() {
                connector.kill(victim);
            }
        }
    }
}
