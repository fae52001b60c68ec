//! Many rounds through a pool, with every way in which a user can leave a connection.

use pool_core::PooledConnection;

use crate::backend::Backend;
use crate::stop::{Checked, failed};
use crate::trial::Trial;

use super::users::drop_in_panic;

const ROUNDS: usize = 100;

pub(super) async fn leave_nothing<B: Backend>(trial: &Trial<B>) -> Checked {
    let pool = trial.build(trial.builder(2))?;
    for round in 0..ROUNDS {
        let mut conn = trial.acquire(&pool).await?;
        if !trial.works(pool.manager(), &mut conn).await? {
            return failed(format!("the connection of round {round} does not work"));
        }
        match round % 5 {
            0 => {
                let release = trial.within("release", PooledConnection::release(conn));
                if let Err(error) = release.await? {
                    return failed(format!("the release of round {round}: {error}"));
                }
            }
            1 => drop(conn),
            2 => PooledConnection::discard(conn),
            3 => drop_in_panic(conn),
            _ => {
                let conn = PooledConnection::detach(conn);
                trial.close(pool.manager(), conn).await?;
            }
        }
    }
    trial.close_pool(&pool).await?;
    trial
        .sessions_are_back("after a hundred rounds and the close of the pool")
        .await
}
