//! A server that keeps its sessions and answers nothing. Every step ends with its deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_lite::future;
use pool_core::{Builder, Error, Manager, PooledConnection, Runtime, ThreadTimer};

use crate::backend::Backend;
use crate::stop::{Checked, Stop, failed};
use crate::trial::Trial;

/// The deadline of each step while the server is silent, as a part of the limit of a step.
const DEADLINE_PART: u32 = 50;

/// By then a step with a deadline has ended, on a busy machine too. Also a part of the limit of a step.
const LATE_PART: u32 = 2;

pub(super) async fn ends<B: Backend>(trial: &Trial<B>) -> Checked {
    let deadline = trial.limit() / DEADLINE_PART;
    // These pools are filled under the kit's own limit, because a healthy server may take longer than the deadline.
    let used = with_deadlines(trial.builder(2), deadline).connect_timeout(trial.limit());
    let used = trial.build(used)?;
    let idle = trial.build(trial.builder(1).close_timeout(deadline))?;
    let empty = trial.build(with_deadlines(trial.builder(1), deadline))?;
    let manager = trial.backend.manager();
    let mut checked = trial.connect(&manager).await?;
    let mut one = trial.acquire(&used).await?;
    let mut other = trial.acquire(&used).await?;
    for conn in [&mut one, &mut other] {
        trial.works(used.manager(), conn).await?;
    }
    let clean = PooledConnection::release(trial.acquire(&idle).await?);
    // A manager may discard it; then there is nothing to close.
    let _ = trial.within("release", clean).await?;
    trial
        .while_paused(async || {
            let check = soon(deadline, manager.check(&mut checked));
            let checked = in_time(trial, deadline, "check", check).await?;
            if let Some(Ok(())) = checked {
                return failed("check says Ok although the server is silent");
            }
            // A protocol without a handshake connects to a silent server, too.
            not_early(trial, deadline, "connect", empty.acquire()).await?;
            let release = PooledConnection::release(one);
            not_early(trial, deadline, "an awaited release", release).await?;
            // Where tasks can be spawned, the recycle of this one runs in the background.
            drop(other);
            for pool in [&empty, &used, &idle] {
                pool.close();
                let _ = in_time(trial, deadline, "wait_closed", pool.wait_closed()).await?;
            }
            Ok(())
        })
        .await?;
    drop(checked);
    match trial.sessions_are_back("after the server was silent").await {
        Err(Stop::NotApplicable(_)) => Ok(()),
        counted => counted,
    }
}

/// A builder whose pool has the deadline for each step.
fn with_deadlines<M: Manager>(builder: Builder<M>, deadline: Duration) -> Builder<M> {
    builder
        .connect_timeout(deadline)
        .check_timeout(deadline)
        .recycle_timeout(deadline)
        .close_timeout(deadline)
}

/// A step under the deadline; `None` if it is not done by then.
async fn soon<T>(deadline: Duration, step: impl Future<Output = T>) -> Option<T> {
    let step = async { Some(step.await) };
    let end = async {
        ThreadTimer::new()
            .sleep_until(Instant::now() + deadline)
            .await;
        None
    };
    future::or(step, end).await
}

/// A step that has the deadline. It must not be late.
async fn in_time<B: Backend, T>(
    trial: &Trial<B>,
    deadline: Duration,
    what: &str,
    step: impl Future<Output = T>,
) -> Checked<T> {
    let start = Instant::now();
    let output = trial.within(what, step).await?;
    let took = start.elapsed();
    if took > trial.limit() / LATE_PART {
        return failed(format!(
            "{what} takes {took:?} while the server is silent, and its deadline is {deadline:?}"
        ));
    }
    Ok(output)
}

/// A step of a pool that has the deadline. It must not be late, and it must not time out before the deadline. How it ends
/// otherwise is not looked at.
async fn not_early<B: Backend, T>(
    trial: &Trial<B>,
    deadline: Duration,
    what: &str,
    step: impl Future<Output = Result<T, Error<<B::Manager as Manager>::Error>>>,
) -> Checked {
    let start = Instant::now();
    let output = in_time(trial, deadline, what, step).await?;
    let took = start.elapsed();
    match output {
        Err(Error::Timeout { .. }) if took < deadline => failed(format!(
            "{what} times out after {took:?}, and its deadline is {deadline:?}"
        )),
        _ => Ok(()),
    }
}
