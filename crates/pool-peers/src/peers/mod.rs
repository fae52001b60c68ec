//! The pools, a file each.

mod asyncband;
mod bb8;
mod deadpool;
mod fake_database;
mod mobc;
mod pool_core;
mod sqlx;

use crate::peer::Kind;

/// All pools, in the order of the table.
pub(crate) const ALL: [Kind; 6] = [
    pool_core::KIND,
    bb8::KIND,
    deadpool::KIND,
    mobc::KIND,
    asyncband::KIND,
    sqlx::KIND,
];
