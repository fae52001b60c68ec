//! The steps of a manager, dropped after each of their polls. After it the connection is dropped too, as the pool does when
//! the deadline of a step strikes.

use std::time::Duration;

use pool_core::Manager;

use crate::backend::Backend;
use crate::stop::Checked;
use crate::trial::Trial;

/// A step that takes more polls than this is dropped at each of the first so many only.
const MOST_POLLS: usize = 100;

/// For so long the server may need until it has opened a session for a client that has already left.
const LATE: Duration = Duration::from_millis(100);

/// Calls `step` with 1, 2, 3, … polls until it says that it was complete. After each the sessions are as before.
async fn after_each_poll<B: Backend>(
    trial: &Trial<B>,
    name: &str,
    step: impl AsyncFn(usize) -> Checked<bool>,
) -> Checked {
    // Without the count of sessions there is nothing to see.
    trial.sessions_are_back("before the first drop").await?;
    for polls in 1..=MOST_POLLS {
        let complete = step(polls).await?;
        let when = format!("after {name} was dropped at poll {polls}");
        trial.sessions_are_back(&when).await?;
        if complete {
            break;
        }
    }
    trial.pause(LATE).await;
    let when = format!("some time after {name} was dropped");
    trial.sessions_are_back(&when).await
}

pub(super) async fn connect<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    after_each_poll(trial, "connect", async |polls| {
        let connected = trial.polled(polls, "connect", manager.connect()).await?;
        Ok(connected.is_some())
    })
    .await
}

pub(super) async fn check<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    after_each_poll(trial, "check", async |polls| {
        let mut conn = trial.connect(&manager).await?;
        let checked = trial.polled(polls, "check", manager.check(&mut conn));
        Ok(checked.await?.is_some())
    })
    .await
}

pub(super) async fn recycle<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    after_each_poll(trial, "recycle", async |polls| {
        let mut conn = trial.connect(&manager).await?;
        // A manager may leave out the recycle of a connection that was not used.
        trial.works(&manager, &mut conn).await?;
        trial.on_release(&manager, &mut conn);
        let recycled = trial.polled(polls, "recycle", manager.recycle(&mut conn));
        Ok(recycled.await?.is_some())
    })
    .await
}

pub(super) async fn close<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    after_each_poll(trial, "close", async |polls| {
        let conn = trial.connect(&manager).await?;
        let closed = trial.polled(polls, "close", manager.close(conn)).await?;
        Ok(closed.is_some())
    })
    .await
}
