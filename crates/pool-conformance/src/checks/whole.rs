//! What is left of a pool: all its places while it is open, and no session when it is closed.

use pool_core::Pool;

use crate::backend::Backend;
use crate::stop::{Checked, Stop, failed};
use crate::trial::Trial;

/// As many acquires as the pool has places succeed, and their connections work; one more has to wait.
pub(super) async fn is_whole<B: Backend>(
    trial: &Trial<B>,
    pool: &Pool<B::Manager>,
    when: &str,
) -> Checked {
    let places = pool.maxsize();
    let mut held = Vec::new();
    for number in 1..=places {
        let acquired = match trial.acquire(pool).await {
            Err(Stop::Failed(why)) => {
                return failed(format!("{when}, acquire {number} of {places}: {why}"));
            }
            acquired => acquired?,
        };
        held.push(acquired);
    }
    for conn in &mut held {
        if !trial.works(pool.manager(), conn).await? {
            return failed(format!("{when}, a connection is handed out broken"));
        }
    }
    let one_more = trial.polled(1, "one acquire too many", pool.acquire());
    match one_more.await? {
        None => Ok(()),
        Some(_) => failed(format!("{when}, the pool has more than {places} places")),
    }
}

/// Closes the pool. Its sessions are gone, where they can be counted.
pub(super) async fn is_gone<B: Backend>(
    trial: &Trial<B>,
    pool: &Pool<B::Manager>,
    when: &str,
) -> Checked {
    trial.close_pool(pool).await?;
    match trial.sessions_are_back(when).await {
        Err(Stop::NotApplicable(_)) => Ok(()),
        counted => counted,
    }
}
