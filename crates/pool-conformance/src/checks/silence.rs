//! A server that keeps its sessions and answers nothing. Every step ends with its deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_lite::future;
use pool_core::{CheckPolicy, Manager, PooledConnection, Runtime, ThreadTimer};

use crate::backend::Backend;
use crate::stop::{Checked, Stop, failed};
use crate::trial::Trial;

/// The deadline of each step while the server is silent.
const DEADLINE: Duration = Duration::from_millis(200);

pub(super) async fn ends<B: Backend>(trial: &Trial<B>) -> Checked {
    // The pool is filled under the kit's own limit, because a healthy server may take longer than the deadline to connect.
    let limit = trial.limit();
    let used = trial.build(
        trial
            .builder(2)
            .check_policy(CheckPolicy::Always)
            .connect_timeout(limit)
            .check_timeout(DEADLINE)
            .recycle_timeout(DEADLINE)
            .close_timeout(DEADLINE),
    )?;
    let empty = trial.build(trial.builder(1).connect_timeout(DEADLINE))?;
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
            // The recycle of the other connection is a part of this acquire, unless it runs in the background.
            drop(other);
            let acquire = used.acquire().timeout(DEADLINE * 2);
            let _ = trial.within("acquire", acquire).await?;
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
