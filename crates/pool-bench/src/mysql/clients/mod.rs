//! The contenders on a real server, a file each.

mod bb8;
mod deadpool;
mod mysql_async_pool;
mod pool_mysql;
mod raw;
mod sqlx;

use crate::mysql::client::ClientTask;

pub(crate) use self::raw::Raw;

/// Runs a task for all clients. The floor is first, then ours.
pub(crate) fn run_for_all<T: ClientTask>(task: &T) -> Vec<T::Output> {
    let mut all = run_for_floor_and_ours(task);
    all.extend([
        task.run::<mysql_async_pool::DriverPool<true>>(),
        task.run::<mysql_async_pool::DriverPool<false>>(),
        task.run::<deadpool::Deadpool<{ deadpool::RESET }>>(),
        task.run::<deadpool::Deadpool<{ deadpool::PING }>>(),
        task.run::<deadpool::Deadpool<{ deadpool::NOTHING }>>(),
        task.run::<bb8::Bb8<true>>(),
        task.run::<bb8::Bb8<false>>(),
        task.run::<sqlx::Sqlx<true>>(),
        task.run::<sqlx::Sqlx<false>>(),
    ]);
    all
}

/// Runs a task for the floor, for ours, and for the pools that reset each session.
pub(crate) fn run_for_resetting<T: ClientTask>(task: &T) -> Vec<T::Output> {
    let mut resetting = run_for_floor_and_ours(task);
    resetting.extend([
        task.run::<mysql_async_pool::DriverPool<true>>(),
        task.run::<deadpool::Deadpool<{ deadpool::RESET }>>(),
    ]);
    resetting
}

fn run_for_floor_and_ours<T: ClientTask>(task: &T) -> Vec<T::Output> {
    vec![
        task.run::<Raw>(),
        task.run::<pool_mysql::PoolMysql<{ pool_mysql::ALWAYS }>>(),
        task.run::<pool_mysql::PoolMysql<{ pool_mysql::IF_DIRTY }>>(),
        task.run::<pool_mysql::PoolMysql<{ pool_mysql::NEVER }>>(),
    ]
}
