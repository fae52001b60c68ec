//! The pools of this revision.

use crate::revisions::now::{pool_core, pool_mysql};
use crate::summary::{CORE, CORE_RECYCLING, MYSQL, MYSQL_IF_DIRTY};

const NAMES: [&str; 4] = [CORE.now, CORE_RECYCLING.now, MYSQL.now, MYSQL_IF_DIRTY.now];

include!("pools.rs");
