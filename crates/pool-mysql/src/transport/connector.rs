//! Everything that opening connections with the same options needs.

use std::sync::Arc;

use pool_core::ConfigError;

use crate::credentials::{CredentialsSource, Provided};
use crate::error::connect_failed;
use crate::options::{ConnectOptions, ResolvedOptions};
use crate::transport::io_runtime::IoPlacement;
use crate::transport::kill_queue::KillQueue;
use crate::transport::packet_limit::PacketLimit;
use crate::transport::refusals::Refusals;

/// The resolved options, and what was learned while connecting with them.
///
/// All connections of a pool share one. It holds the password, so it has no `Debug`.
pub(crate) struct Connector {
    pub(crate) resolved: ResolvedOptions,
    /// The driver's options for a server whose certificate is good but has another name. It is set after the first connect
    /// to such a server, and only if the options accept any name.
    #[cfg(feature = "rustls")]
    pub(super) other_name: std::sync::Mutex<Option<mysql_async::Opts>>,
    pub(crate) packet_limit: PacketLimit,
    /// The commands for cleaning a session that the server does not have.
    pub(crate) refusals: Refusals,
    /// Where the sockets are opened.
    pub(crate) placement: IoPlacement,
    /// The connections that are to be ended at the server.
    pub(super) kill_queue: KillQueue,
}

impl Connector {
    /// Checks the options and resolves them, once for all connections.
    pub(crate) fn new(options: ConnectOptions) -> Result<Arc<Self>, ConfigError> {
        let resolved = ResolvedOptions::new(options)?;
        Ok(Arc::new(Self {
            #[cfg(feature = "rustls")]
            other_name: std::sync::Mutex::default(),
            packet_limit: PacketLimit::of(&resolved.options),
            refusals: Refusals::default(),
            placement: IoPlacement::new(resolved.options.io_runtime),
            kill_queue: KillQueue::default(),
            resolved,
        }))
    }

    /// The error of a connect, with where it went.
    pub(crate) fn connect_failed(&self, cause: mysql_async::Error) -> mysql_async::Error {
        connect_failed::of(self.options().destination(), cause)
    }

    /// The provider of users and passwords, if there is one.
    pub(crate) fn credentials(&self) -> Option<&Arc<CredentialsSource>> {
        self.options().credentials.as_ref().map(Provided::source)
    }

    /// The options, with what their option file adds.
    pub(crate) fn options(&self) -> &ConnectOptions {
        &self.resolved.options
    }
}
