//! What connect promises.

use pool_core::Manager;

use crate::backend::Backend;
use crate::stop::{Checked, Stop, failed, not_applicable};
use crate::trial::Trial;

pub(super) async fn works<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    match trial.works(&manager, &mut conn).await? {
        true => Ok(()),
        false => failed("a new connection does not work"),
    }
}

pub(super) async fn are_two<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut one = trial.connect(&manager).await?;
    let mut other = trial.connect(&manager).await?;
    let named = match (
        trial.identity(&mut one).await?,
        trial.identity(&mut other).await?,
    ) {
        (Some(one), Some(other)) if one == other => {
            return failed(format!("both are the session {one}"));
        }
        (one, other) => one.is_some() && other.is_some(),
    };
    for conn in [&mut one, &mut other] {
        if !trial.works(&manager, conn).await? {
            return failed("one of two open connections does not work");
        }
    }
    let counted = trial
        .sessions_are_more_by(2, "while two connections are open")
        .await;
    match counted {
        Err(Stop::NotApplicable(_)) if named => Ok(()),
        Err(Stop::NotApplicable(_)) => {
            not_applicable("the backend gives neither `identity` nor `sessions`")
        }
        counted => counted,
    }
}

pub(super) async fn server_is_stopped<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    trial
        .while_stopped(
            async || match trial.within("connect", manager.connect()).await? {
                Err(_) => Ok(()),
                Ok(_) => failed("connect gives a connection although the server is stopped"),
            },
        )
        .await?;
    let mut conn = trial.connect(&manager).await?;
    match trial.works(&manager, &mut conn).await? {
        true => Ok(()),
        false => failed("a connection to the server that was started again does not work"),
    }
}
