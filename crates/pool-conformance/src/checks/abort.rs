//! What `abort_handle` promises. Only a pool can use a handle, in `terminate`.

use std::time::{Duration, Instant};

use futures_lite::future;
use pool_core::Manager;

use crate::backend::Backend;
use crate::stop::{Checked, Stop, failed, given, not_applicable};
use crate::trial::Trial;

/// For so long a command runs before it is aborted, so that it has reached the server.
const UNDER_WAY: Duration = Duration::from_millis(100);

/// The quickest of so many calls is looked at, because another process can delay some of them.
const CALLS: usize = 3;

/// Longer than a call that only tells another thread, shorter than any call that waits.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Ends the check if the manager gives no handle.
async fn needs_handle<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let conn = trial.connect(&manager).await?;
    match trial.call("abort_handle", || manager.abort_handle(&conn)) {
        Some(_) => Ok(()),
        None => not_applicable("abort_handle gives no handle"),
    }
}

pub(super) async fn ends_command<B: Backend>(trial: &Trial<B>) -> Checked {
    needs_handle(trial).await?;
    let pool = trial.build(trial.builder(1))?;
    let mut conn = trial.acquire(&pool).await?;
    let command = async {
        given(trial.backend.long_command(&mut conn).await, "long_command")?;
        Ok(Instant::now())
    };
    let abort = async {
        trial.pause(UNDER_WAY).await;
        trial.pulse.beat("terminate");
        let start = Instant::now();
        pool.terminate();
        start
    };
    // A backend without the means answers at once.
    let both = future::try_zip(command, async { Ok(abort.await) });
    let both = match trial.within("the aborted command", both).await {
        Err(Stop::Failed(_)) => {
            return failed(format!(
                "the command under way still runs {:?} after the abort of its connection",
                trial.limit()
            ));
        }
        both => both?,
    };
    let (ended, aborted) = both?;
    if ended < aborted {
        return failed("the means do not fit: `long_command` ends by itself");
    }
    drop(conn);
    match trial.sessions_are_back("after an abort").await {
        Err(Stop::NotApplicable(_)) => Ok(()),
        counted => counted,
    }
}

pub(super) async fn does_not_wait<B: Backend>(trial: &Trial<B>) -> Checked {
    needs_handle(trial).await?;
    let mut quickest = Duration::MAX;
    for _ in 0..CALLS {
        let pool = trial.build(trial.builder(1))?;
        let conn = trial.acquire(&pool).await?;
        let terminate = async || {
            trial.pulse.beat("terminate");
            let start = Instant::now();
            pool.terminate();
            Ok(start.elapsed())
        };
        let took = match trial.while_paused(&terminate).await {
            Err(Stop::NotApplicable(_)) => terminate().await?,
            took => took?,
        };
        quickest = quickest.min(took);
        drop(conn);
    }
    if quickest > AT_ONCE {
        return failed(format!("an abort takes {quickest:?} or longer"));
    }
    Ok(())
}
