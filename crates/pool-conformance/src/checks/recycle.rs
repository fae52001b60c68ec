//! What recycle promises.

use pool_core::{Manager, Verdict};

use crate::backend::Backend;
use crate::stop::{Checked, failed, not_applicable};
use crate::trial::Trial;

pub(super) async fn cleans<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.make_dirty(&mut conn).await?;
    if trial.is_clean(&mut conn).await? {
        return failed("the means do not fit: `is_clean` is true after `make_dirty`");
    }
    if trial.on_release(&manager, &mut conn) == Verdict::Discard {
        return not_applicable("on_release discards a dirty connection");
    }
    let recycled = trial.within("recycle", manager.recycle(&mut conn)).await?;
    if let Err(error) = recycled {
        return failed(format!("recycle of a live connection: {error}"));
    }
    if !trial.is_clean(&mut conn).await? {
        return failed("recycle says Ok, and the connection is dirty");
    }
    match trial.works(&manager, &mut conn).await? {
        true => Ok(()),
        false => failed("recycle says Ok, and the connection does not work"),
    }
}

pub(super) async fn broken<B: Backend>(trial: &Trial<B>) -> Checked {
    let manager = trial.backend.manager();
    let mut conn = trial.connect(&manager).await?;
    trial.use_and_break(&manager, &mut conn).await?;
    if trial.on_release(&manager, &mut conn) == Verdict::Discard {
        return Ok(());
    }
    let recycled = trial.within("recycle", manager.recycle(&mut conn)).await?;
    match recycled {
        Err(_) => Ok(()),
        Ok(()) => failed("recycle says Ok of a broken connection"),
    }
}
