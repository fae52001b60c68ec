//! What close promises, and the drop of a connection, which takes its place after a deadline or a panic.

use crate::backend::Backend;
use crate::stop::{Checked, Stop};
use crate::trial::Trial;

pub(super) async fn close_ends<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let conn = trial.connect(&manager).await?;
    trial
        .sessions_are_more_by(1, "while a connection is open")
        .await?;
    trial.close(&manager, conn).await?;
    trial.sessions_are_back("after a close").await
}

pub(super) async fn drop_ends<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let conn = trial.connect(&manager).await?;
    trial
        .sessions_are_more_by(1, "while a connection is open")
        .await?;
    trial.pulse.beat("the drop of a connection");
    drop(conn);
    trial
        .sessions_are_back("after the drop of a connection")
        .await
}

pub(super) async fn broken<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut closed = trial.connect(&manager).await?;
    trial.use_and_break(&manager, &mut closed).await?;
    trial.close(&manager, closed).await?;
    let mut dropped = trial.connect(&manager).await?;
    trial.use_and_break(&manager, &mut dropped).await?;
    trial.pulse.beat("the drop of a broken connection");
    drop(dropped);
    // Whether all sessions are gone is known only where they can be counted.
    match trial.sessions_are_back("after both are gone").await {
        Err(Stop::NotApplicable(_)) => Ok(()),
        counted => counted,
    }
}
