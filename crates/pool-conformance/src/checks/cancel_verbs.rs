//! The verbs of a pool, dropped after each of their polls. Afterwards the pool has all its places, and when it is closed no
//! session is left.

use pool_core::{CheckPolicy, Pool, PooledConnection};

use crate::backend::Backend;
use crate::stop::Checked;
use crate::trial::Trial;

use super::whole::{is_gone, is_whole};

/// A verb that takes more polls than this is dropped at each of the first so many only.
const MOST_POLLS: usize = 100;

fn pool<B: Backend>(trial: &Trial<B>, places: usize) -> Checked<Pool<B::Manager>> {
    let builder = trial.builder(places);
    trial.build(builder.check_policy(CheckPolicy::Always))
}

pub(super) async fn acquire<B: Backend>(trial: &Trial<B>) -> Checked {
    for polls in 1..=MOST_POLLS {
        let when = format!("after acquires were dropped at poll {polls}");
        let pool = pool(trial, 2)?;
        // The first one connects.
        let first = trial.polled(polls, "acquire", pool.acquire()).await?;
        let connected = first.is_some();
        drop(first);
        is_whole(trial, &pool, &when).await?;
        // Now the pool is full of used connections: the next one recycles and checks.
        let second = trial.polled(polls, "acquire", pool.acquire()).await?;
        let recycled = second.is_some();
        drop(second);
        is_whole(trial, &pool, &when).await?;
        is_gone(trial, &pool, &when).await?;
        if connected && recycled {
            break;
        }
    }
    Ok(())
}

pub(super) async fn release<B: Backend>(trial: &Trial<B>) -> Checked {
    for polls in 1..=MOST_POLLS {
        let when = format!("after a release was dropped at poll {polls}");
        // Another place would be filled by a connect meanwhile.
        let pool = pool(trial, 1)?;
        let mut conn = trial.acquire(&pool).await?;
        trial.works(pool.manager(), &mut conn).await?;
        let release = PooledConnection::release(conn);
        let released = trial.polled(polls, "release", release).await?;
        is_whole(trial, &pool, &when).await?;
        is_gone(trial, &pool, &when).await?;
        if released.is_some() {
            break;
        }
    }
    Ok(())
}

pub(super) async fn clear<B: Backend>(trial: &Trial<B>) -> Checked {
    // Without the count of sessions there is nothing to see.
    trial.sessions_are_back("before the first clear").await?;
    for polls in 1..=MOST_POLLS {
        let when = format!("after a clear and a wait_closed were dropped at poll {polls}");
        let pool = pool(trial, 2)?;
        is_whole(trial, &pool, "at the start").await?;
        let cleared = trial.polled(polls, "clear", pool.clear()).await?;
        // What the clear has left half closed must not keep its place.
        is_whole(
            trial,
            &pool,
            &format!("after a clear was dropped at poll {polls}"),
        )
        .await?;
        pool.close();
        let closed = trial.polled(polls, "wait_closed", pool.wait_closed());
        let closed = closed.await?;
        is_gone(trial, &pool, &when).await?;
        if cleared.is_some() && closed.is_some() {
            break;
        }
    }
    Ok(())
}
