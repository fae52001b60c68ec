//! What check promises.

use pool_core::Manager;

use crate::backend::Backend;
use crate::stop::{Checked, failed};
use crate::trial::Trial;

pub(super) async fn accepts<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    for time in ["first", "second"] {
        let checked = trial.within("check", manager.check(&mut conn)).await?;
        if let Err(error) = checked {
            return failed(format!("the {time} check of a live connection: {error}"));
        }
    }
    match trial.works(&manager, &mut conn).await? {
        true => Ok(()),
        false => failed("the connection does not work after its check"),
    }
}

pub(super) async fn refuses<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.use_and_break(&manager, &mut conn).await?;
    let checked = trial.within("check", manager.check(&mut conn)).await?;
    match checked {
        Err(_) => Ok(()),
        Ok(()) => failed("check says Ok of a broken connection"),
    }
}
