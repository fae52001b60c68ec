//! Users who do not give a connection back: they panic, or somebody terminates the pool while they hold it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use pool_core::Error;

use crate::backend::Backend;
use crate::stop::{Checked, Stop, failed};
use crate::trial::Trial;

use super::whole::{is_gone, is_whole};

const PLACES: usize = 2;

/// So many users panic: more than the pool has places.
const PANICS: usize = 5;

/// Drops a value while the thread unwinds, as a panic of its owner does. Nothing is printed, because the panic hook is not
/// called.
pub(super) fn drop_in_panic<T>(value: T) {
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _value = value;
        resume_unwind(Box::new(()))
    }));
    assert!(unwound.is_err(), "it can only unwind");
}

pub(super) async fn panic<B: Backend>(trial: &Trial<B>) -> Checked {
    let when = "after its users have panicked";
    let pool = trial.build(trial.builder(PLACES))?;
    for _ in 0..PANICS {
        let mut conn = trial.acquire(&pool).await?;
        trial.works(pool.manager(), &mut conn).await?;
        trial.call("the drop of a connection whose user panics", || {
            drop_in_panic(conn);
        });
    }
    is_whole(trial, &pool, when).await?;
    is_gone(trial, &pool, when).await
}

pub(super) async fn terminate<B: Backend>(trial: &Trial<B>) -> Checked {
    let pool = trial.build(trial.builder(PLACES))?;
    let mut held = trial.acquire(&pool).await?;
    let mut idle = trial.acquire(&pool).await?;
    for conn in [&mut held, &mut idle] {
        trial.works(pool.manager(), conn).await?;
    }
    drop(idle);
    trial.call("terminate", || pool.terminate());
    // It does not wait for the connection in use.
    if let Err(error) = trial.within("wait_closed", pool.wait_closed()).await? {
        return failed(format!("wait_closed after a terminate: {error}"));
    }
    match trial.within("acquire", pool.acquire()).await? {
        Err(Error::Closed) => {}
        Err(error) => return failed(format!("an acquire after a terminate: {error}")),
        Ok(_) => return failed("an acquire after a terminate gives a connection"),
    }
    trial.call("the drop of a connection after a terminate", || drop(held));
    let counted = trial.sessions_are_back("after a terminate and the drop of the last connection");
    match counted.await {
        Err(Stop::NotApplicable(_)) => Ok(()),
        counted => counted,
    }
}
