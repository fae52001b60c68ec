//! The pools of the other revision.

use crate::revisions::before::{pool_core, pool_mysql};
use crate::summary::{CORE, CORE_RECYCLING, MYSQL, MYSQL_IF_DIRTY};

const NAMES: [&str; 4] = [
    CORE.before,
    CORE_RECYCLING.before,
    MYSQL.before,
    MYSQL_IF_DIRTY.before,
];

include!("pools.rs");
