//! How long a command of a user may take.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use pool_core::BoxFuture;

use crate::connection::Connection;
use crate::error::command_timeout;
use crate::transport::connector::Connector;
use crate::transport::io_runtime::within;
use crate::transport::kill_query::{PATIENCE, Told};
use crate::transport::kill_queue::Victim;

/// The server has ended a command because it was told to.
const INTERRUPTED: u16 = 1317;

/// How a command with a time limit has ended.
pub(super) struct InTime<T> {
    /// What the driver has returned; `None` if it was given up.
    pub(super) result: Option<mysql_async::Result<T>>,
    /// Whether the server was told to end it; `None` if it was in time.
    pub(super) told: Option<Told>,
}

/// The limit of a command, and what is needed to end it.
pub(super) struct TimeLimit {
    limit: Duration,
    connector: Arc<Connector>,
    victim: Option<Victim>,
}

impl Connection {
    /// The limit of each command, where the options have one.
    pub(super) fn time_limit(&self) -> Option<TimeLimit> {
        Some(TimeLimit {
            limit: self.options().command_timeout?,
            connector: Arc::clone(&self.connector),
            victim: self.victim(),
        })
    }
}

impl TimeLimit {
    /// Waits for the answer to a command. When the time is up, the server is told to end the command, and its answer is
    /// waited for once more, for a few seconds.
    pub(super) async fn wait<T: Send>(
        &self,
        mut command: BoxFuture<'_, mysql_async::Result<T>>,
    ) -> InTime<T> {
        if let Some(result) = within(Some(self.limit), command.as_mut()).await {
            return InTime {
                result: Some(result),
                told: None,
            };
        }
        let Some(victim) = self.victim.clone() else {
            // The server did not say enough about itself: another one may answer at its address.
            return InTime {
                result: None,
                told: Some(Told::No),
            };
        };
        let mut kill = pin!(self.connector.kill_query(victim));
        let (mut result, mut told) = (None, None);
        let both = poll_fn(|cx| {
            if result.is_none()
                && let Poll::Ready(answer) = command.as_mut().poll(cx)
            {
                result = Some(answer);
            }
            if told.is_none()
                && let Poll::Ready(answer) = kill.as_mut().poll(cx)
            {
                told = Some(answer);
            }
            // If the server was not told to end it, there is nothing more to wait for.
            match told == Some(Told::No) || (result.is_some() && told.is_some()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        let _ = within(Some(PATIENCE), both).await;
        InTime {
            result,
            told: Some(told.unwrap_or(Told::Unknown)),
        }
    }

    /// Waits so long for something that comes before the command; `None` if it takes longer.
    pub(super) async fn wait_before<F: Future>(&self, first: F) -> Option<F::Output> {
        within(Some(self.limit), first).await
    }

    /// The error of a command whose answer did not come.
    pub(super) fn given_up(&self) -> mysql_async::Error {
        command_timeout::given_up(self.limit)
    }

    /// The answer to a statement that is no COMMIT, after the server was told to end it or not. `shows` tells whether an
    /// answer shows by itself that the statement was not ended.
    ///
    /// MariaDB 10.11 answers with OK and no changed rows to some UPDATEs that it has ended, so an OK is no success then;
    /// `cargo xtask chaos --only "queries killed"` counts them.
    pub(super) fn judge<T>(
        &self,
        result: mysql_async::Result<T>,
        told: Option<Told>,
        shows: fn(&T) -> bool,
    ) -> mysql_async::Result<T> {
        match (result, told) {
            (Ok(answer), Some(Told::Yes | Told::Unknown)) if !shows(&answer) => {
                Err(command_timeout::unclear(self.limit))
            }
            (result, _) => result.map_err(|error| self.explain(error)),
        }
    }

    /// The error of a command that the server has ended says why.
    pub(super) fn explain(&self, error: mysql_async::Error) -> mysql_async::Error {
        match error {
            mysql_async::Error::Server(error) if error.code == INTERRUPTED => {
                command_timeout::ended(self.limit)
            }
            error => error,
        }
    }
}
