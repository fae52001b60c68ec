//! The contenders on a real server, a file each.

mod bb8;
mod deadpool;
mod mysql_async_pool;
mod pool_mysql;
mod raw;
mod sqlx;

use crate::mysql::client::ClientVisitor;

pub(crate) use self::raw::Raw;

/// Visits all clients. The floor is first, then ours.
pub(crate) fn visit_all<V: ClientVisitor>(visitor: &V) -> Vec<V::Output> {
    vec![
        visitor.visit::<Raw>(),
        visitor.visit::<pool_mysql::PoolMysql<{ pool_mysql::ALWAYS }>>(),
        visitor.visit::<pool_mysql::PoolMysql<{ pool_mysql::IF_DIRTY }>>(),
        visitor.visit::<pool_mysql::PoolMysql<{ pool_mysql::NEVER }>>(),
        visitor.visit::<mysql_async_pool::DriverPool<true>>(),
        visitor.visit::<mysql_async_pool::DriverPool<false>>(),
        visitor.visit::<deadpool::Deadpool<{ deadpool::RESET }>>(),
        visitor.visit::<deadpool::Deadpool<{ deadpool::PING }>>(),
        visitor.visit::<deadpool::Deadpool<{ deadpool::NOTHING }>>(),
        visitor.visit::<bb8::Bb8<true>>(),
        visitor.visit::<bb8::Bb8<false>>(),
        visitor.visit::<sqlx::Sqlx<true>>(),
        visitor.visit::<sqlx::Sqlx<false>>(),
    ]
}
