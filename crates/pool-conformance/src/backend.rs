//! What the author of a backend gives to the kit: managers, and the means to break their connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pool_core::{Manager, Runtime};

/// A connection of a backend's manager.
pub type ConnectionOf<B> = <<B as Backend>::Manager as Manager>::Connection;

/// A backend under test: how to make its manager, and what can be done to its connections and its server.
///
/// Only [`manager`](Self::manager) is required. Every other method is a means that some checks need. Its default answers
/// `None`, which says that the backend does not have it; these checks are then reported as not applicable. Write the
/// means as plain `async fn`, and let them panic when they fail.
///
/// A means should reach the server without the methods of the manager wherever it can, so that a fault in
/// the manager does not hide itself. The kit calls a means from any of its threads.
///
/// # Examples
///
/// See [`run`](crate::run).
pub trait Backend: Send + Sync + 'static {
    /// The manager under test.
    type Manager: Manager;

    /// A new manager. All of them connect to the same server.
    fn manager(&self) -> Self::Manager;

    /// Uses a connection as its holder would, and says whether it works. On a broken connection it answers
    /// `Some(false)`. The default answers `None`; the kit then uses the manager's `check`.
    fn ping(&self, conn: &mut ConnectionOf<Self>) -> impl Future<Output = Option<bool>> {
        let _ = conn;
        async { None }
    }

    /// The identity of a connection's session, such as the number that the server gave it. No two open connections have
    /// the same.
    fn identity(&self, conn: &mut ConnectionOf<Self>) -> impl Future<Output = Option<String>> {
        let _ = conn;
        async { None }
    }

    /// Breaks a connection in a way that its holder does not see: the server ends the session, or the socket is shut.
    /// It returns when the session is gone. The kit has used the connection once before.
    fn break_connection(&self, conn: &mut ConnectionOf<Self>) -> impl Future<Output = Option<()>> {
        let _ = conn;
        async { None }
    }

    /// Leaves something in the session that the next user must not see, such as a variable.
    fn make_dirty(&self, conn: &mut ConnectionOf<Self>) -> impl Future<Output = Option<()>> {
        let _ = conn;
        async { None }
    }

    /// Whether nothing of [`make_dirty`](Self::make_dirty) is left in the session.
    fn is_clean(&self, conn: &mut ConnectionOf<Self>) -> impl Future<Output = Option<bool>> {
        let _ = conn;
        async { None }
    }

    /// Runs a command that takes longer than [`step_limit`](Self::step_limit). It returns when the command ends, also
    /// when it ends with an error.
    fn long_command(&self, conn: &mut ConnectionOf<Self>) -> impl Future<Output = Option<()>> {
        let _ = conn;
        async { None }
    }

    /// How many sessions the server has, without those that the means of the backend use. Nobody else may use the server
    /// while the kit runs.
    fn sessions(&self) -> impl Future<Output = Option<usize>> {
        async { None }
    }

    /// Stops the server, so that it refuses connections. It returns when all sessions are gone.
    fn stop_server(&self) -> impl Future<Output = Option<()>> {
        async { None }
    }

    /// Starts the server again after [`stop_server`](Self::stop_server), at the same address. It returns when the server
    /// takes connections.
    fn start_server(&self) -> impl Future<Output = Option<()>> {
        async { None }
    }

    /// Makes the server silent: it keeps its sessions and answers nothing.
    fn pause_server(&self) -> impl Future<Output = Option<()>> {
        async { None }
    }

    /// Lets the server go on after [`pause_server`](Self::pause_server).
    fn resume_server(&self) -> impl Future<Output = Option<()>> {
        async { None }
    }

    /// The runtime of the kit's pools. The default is `None`: the one that the pool finds.
    fn runtime(&self) -> Option<Arc<dyn Runtime>> {
        None
    }

    /// Drives a future to its end on the calling thread. The default needs no runtime. A backend that needs one overrides
    /// this, with `self.runtime.block_on(future)` for tokio. The kit calls it on several threads at once.
    fn block_on(&self, future: Pin<&mut dyn Future<Output = ()>>) {
        futures_lite::future::block_on(future);
    }

    /// After how long a step counts as hung. The default is ten seconds. No healthy step takes that long, on a busy
    /// machine either.
    fn step_limit(&self) -> Duration {
        Duration::from_secs(10)
    }
}
