//! What `on_release` promises.

use std::time::{Duration, Instant};

use pool_core::Verdict;

use crate::backend::{Backend, ConnectionOf};
use crate::stop::{Checked, Stop, failed};
use crate::trial::Trial;

/// The quickest of so many calls is looked at, because another process can delay some of them.
const CALLS: usize = 5;

/// Longer than a call that only looks at memory, shorter than any call that waits.
const AT_ONCE: Duration = Duration::from_millis(50);

pub(super) async fn dirty<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.make_dirty(&mut conn).await?;
    if trial.on_release(&manager, &mut conn) != Verdict::Reuse {
        return Ok(());
    }
    match trial.is_clean(&mut conn).await? {
        true => Ok(()),
        false => failed("on_release says Reuse, and the connection is dirty"),
    }
}

pub(super) async fn broken<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.use_and_break(&manager, &mut conn).await?;
    if trial.works(&manager, &mut conn).await? {
        return failed("a broken connection says that it works");
    }
    match trial.on_release(&manager, &mut conn) {
        Verdict::Reuse => failed("on_release says Reuse of a connection whose last command failed"),
        _ => Ok(()),
    }
}

pub(super) async fn does_not_wait<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.works(&manager, &mut conn).await?;
    quickest(trial, &manager, &mut conn, "of a live connection")?;
    let silent = async || quickest(trial, &manager, &mut conn, "while the server is silent");
    match trial.while_paused(silent).await {
        Err(Stop::NotApplicable(_)) => Ok(()),
        checked => checked,
    }
}

fn quickest<B: Backend>(
    trial: &Trial<B>,
    manager: &B::Manager,
    conn: &mut ConnectionOf<B>,
    when: &str,
) -> Checked {
    let mut quickest = Duration::MAX;
    for _ in 0..CALLS {
        let start = Instant::now();
        trial.on_release(manager, conn);
        quickest = quickest.min(start.elapsed());
    }
    if quickest > AT_ONCE {
        return failed(format!("on_release {when} takes {quickest:?} or longer"));
    }
    Ok(())
}
