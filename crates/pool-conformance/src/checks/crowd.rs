//! Sixteen threads on four connections.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pool_core::{Pool, PooledConnection};

use crate::backend::{Backend, ConnectionOf};
use crate::stop::{Checked, Stop, failed, given};
use crate::trial::Trial;

const THREADS: usize = 16;
const PLACES: usize = 4;
const ROUNDS: usize = 10;

/// How long a thread holds a connection.
const HOLD: Duration = Duration::from_millis(1);

/// How often the check looks whether its threads have ended.
const LOOK: Duration = Duration::from_millis(2);

/// Runs `work` on every thread, each with a clone of the pool, and waits for all of them without blocking.
async fn on_all_threads<B, W>(trial: &Arc<Trial<B>>, work: W) -> Checked
where
    B: Backend,
    W: AsyncFn(&Trial<B>, &Pool<B::Manager>, usize) -> Checked + Send + Sync + 'static,
{
    let pool = trial.build(trial.builder(PLACES))?;
    let work = Arc::new(work);
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let (trial, pool, work) = (Arc::clone(trial), pool.clone(), Arc::clone(&work));
            thread::spawn(move || trial.drive(work(&trial, &pool, number)))
        })
        .collect();
    let mut result = Ok(());
    for thread in threads {
        while !thread.is_finished() {
            trial.pause(LOOK).await;
        }
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(stop) => result = stop,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    trial.close_pool(&pool).await?;
    result?;
    match trial.sessions_are_back("after the pool was closed").await {
        Err(Stop::NotApplicable(_)) => Ok(()),
        counted => counted,
    }
}

pub(super) async fn never_share<B: Backend>(trial: &Arc<Trial<B>>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    given(trial.identity(&mut conn).await?, "identity")?;
    trial.close(&manager, conn).await?;
    let held = Mutex::new(HashSet::new());
    on_all_threads(trial, async move |trial, pool, _| {
        for _ in 0..ROUNDS {
            let mut conn = trial.acquire(pool).await?;
            let name = given(trial.identity(&mut conn).await?, "identity")?;
            let is_new = lock(&held).insert(name.clone());
            if !is_new {
                return failed(format!("two threads hold the session {name}"));
            }
            // So long that all places are taken and the others wait.
            trial.pause(HOLD).await;
            let works = trial.works(pool.manager(), &mut conn).await?;
            let named = given(trial.identity(&mut conn).await?, "identity")?;
            lock(&held).remove(&name);
            if !works || named != name {
                return failed(format!("the session {name} was changed by somebody else"));
            }
        }
        Ok(())
    })
    .await
}

pub(super) async fn see_nothing<B: Backend>(trial: &Arc<Trial<B>>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.make_dirty(&mut conn).await?;
    trial.is_clean(&mut conn).await?;
    trial.close(&manager, conn).await?;
    on_all_threads(trial, async |trial, pool, number| {
        for round in 0..ROUNDS {
            let mut conn = trial.acquire(pool).await?;
            is_clean(trial, &mut conn).await?;
            trial.make_dirty(&mut conn).await?;
            // Every other connection is released by its drop.
            if (number + round) % 2 == 0 {
                let release = trial.within("release", PooledConnection::release(conn));
                // A manager may discard a dirty connection.
                let _ = release.await?;
            }
        }
        Ok(())
    })
    .await
}

async fn is_clean<B: Backend>(trial: &Trial<B>, conn: &mut ConnectionOf<B>) -> Checked {
    match trial.is_clean(conn).await? {
        true => Ok(()),
        false => failed("a connection is handed out with what its last user left"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
