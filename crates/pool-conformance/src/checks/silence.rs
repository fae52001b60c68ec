//! A server that keeps its sessions and answers nothing. Every step ends with its deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_lite::future;
use pool_core::{Builder, Manager, PooledConnection, Runtime, ThreadTimer};

use crate::backend::Backend;
use crate::stop::{Checked, Stop, failed};
use crate::trial::Trial;

/// The deadline of each step while the server is silent.
const DEADLINE: Duration = Duration::from_millis(200);

pub(super) async fn ends<B: Backend>(trial: &Trial<B>) -> Checked {
    // One pool is filled under the kit's own limit, because a healthy server may take longer than the deadline to connect.
    let used = trial.build(with_deadlines(trial.builder(2)).connect_timeout(trial.limit()))?;
    let empty = trial.build(with_deadlines(trial.builder(1)))?;
    let manager = trial.backend.manager();
    let mut checked = trial.connect(&manager).await?;
    let mut one = trial.acquire(&used).await?;
    let mut other = trial.acquire(&used).await?;
    for conn in [&mut one, &mut other] {
        trial.works(used.manager(), conn).await?;
    }
    trial
        .while_paused(async || {
            let checked = trial
                .within("check", soon(manager.check(&mut checked)))
                .await?;
            if let Some(Ok(())) = checked {
                return failed("check says Ok although the server is silent");
            }
            // How these end is not looked at: a protocol without a handshake connects to a silent server, too.
            let _ = trial.within("connect", empty.acquire()).await?;
            let release = PooledConnection::release(one);
            let _ = trial.within("an awaited release", release).await?;
            // Where tasks can be spawned, the recycle of this one runs in the background.
            drop(other);
            empty.close();
            used.close();
            for pool in [&empty, &used] {
                let _ = trial.within("wait_closed", pool.wait_closed()).await?;
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
fn with_deadlines<M: Manager>(builder: Builder<M>) -> Builder<M> {
    builder
        .connect_timeout(DEADLINE)
        .check_timeout(DEADLINE)
        .recycle_timeout(DEADLINE)
        .close_timeout(DEADLINE)
}

/// A step under the deadline; `None` if it is not done by then.
async fn soon<T>(step: impl Future<Output = T>) -> Option<T> {
    let step = async { Some(step.await) };
    let end = async {
        ThreadTimer::new()
            .sleep_until(Instant::now() + DEADLINE)
            .await;
        None
    };
    future::or(step, end).await
}
