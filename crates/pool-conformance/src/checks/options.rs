//! What the small methods promise: `validate`, `set_echo`, `idle_limit`, `was_unused` and `classify`.

use std::time::Duration;

use pool_core::{ErrorClass, Manager};

use crate::backend::Backend;
use crate::stop::{Checked, failed};
use crate::trial::Trial;

pub(super) async fn validate<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    if let Err(error) = trial.call("validate", || manager.validate()) {
        return failed(format!("validate refuses the manager: {error}"));
    }
    // The builder calls it, too.
    trial.build(trial.builder(1)).map(drop)
}

pub(super) async fn set_echo<B: Backend>(trial: &Trial<B>) -> Checked {
    for on in [true, false] {
        let mut manager = trial.backend.manager();
        trial.call("set_echo", || manager.set_echo(on));
        let mut conn = trial.connect(&manager).await?;
        if !trial.works(&manager, &mut conn).await? {
            return failed(format!(
                "after set_echo({on}), a new connection does not work"
            ));
        }
    }
    Ok(())
}

pub(super) async fn idle_limit<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let conn = trial.connect(&manager).await?;
    match trial.call("idle_limit", || manager.idle_limit(&conn)) {
        Some(Duration::ZERO) => {
            failed("idle_limit is zero, so no connection is used a second time")
        }
        _ => Ok(()),
    }
}

pub(super) async fn was_unused<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.make_dirty(&mut conn).await?;
    match trial.call("was_unused", || manager.was_unused(&conn)) {
        true => failed("was_unused says that nothing was sent, and something was done"),
        false => Ok(()),
    }
}

pub(super) async fn classify<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    trial
        .while_stopped(async || {
            let Err(error) = trial.within("connect", manager.connect()).await? else {
                // Another check fails because of this.
                return Ok(());
            };
            match trial.call("classify", || manager.classify(&error)) {
                class @ (ErrorClass::Auth | ErrorClass::Config | ErrorClass::Fatal) => {
                    failed(format!(
                        "classify says {class:?} of the error \"{error}\", but the server is only stopped"
                    ))
                }
                _ => Ok(()),
            }
        })
        .await
}
