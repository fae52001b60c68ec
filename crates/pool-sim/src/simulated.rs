//! The managers that a run can have: the scripted one itself, or the same in a box, as one that is chosen at run time.

use pool_core::{BoxError, BoxManager, Error, Manager, Pool, PooledConnection, Status};

use crate::connection::SimConnection;
use crate::held::Holding;
use crate::manager::{Scripted, SimManager};

pub(crate) type SimError<M> = Error<<M as Manager>::Error>;

pub(crate) type Guard<M> = PooledConnection<M>;

/// A manager that does what the script says.
pub(crate) trait Simulated: Manager<Connection = SimConnection> {
    fn of(manager: SimManager) -> Self;

    /// The error of a step that fails as the script says.
    fn scripted() -> Self::Error;

    /// Whether an error is the one of the scripted manager.
    fn is_scripted(error: &Self::Error) -> bool;
}

impl Simulated for SimManager {
    fn of(manager: SimManager) -> Self {
        manager
    }

    fn scripted() -> Scripted {
        Scripted
    }

    fn is_scripted(_: &Scripted) -> bool {
        true
    }
}

impl Simulated for BoxManager<SimConnection> {
    fn of(manager: SimManager) -> Self {
        BoxManager::new(manager)
    }

    fn scripted() -> BoxError {
        BoxError::new(Scripted)
    }

    fn is_scripted(error: &BoxError) -> bool {
        error.get_ref().is::<Scripted>()
    }
}

/// A pool that its own manager calls.
pub(crate) trait CalledBack: Send + Sync {
    fn counts(&self) -> Status;

    /// Takes an idle connection if there is one, and lets go of it. Returns what is wrong with that.
    fn take_and_release(&self) -> Option<String>;
}

impl<M: Simulated> CalledBack for Pool<M> {
    fn counts(&self) -> Status {
        self.status()
    }

    fn take_and_release(&self) -> Option<String> {
        let guard = self.clone().try_acquire().ok()?;
        let wrong = SimConnection::now_taken(&guard);
        let is_suspended = guard.record.page().is_suspended;
        drop(Holding::new(guard));
        wrong.or(is_suspended.then(|| "try_acquire was served in a suspended pool".into()))
    }
}
