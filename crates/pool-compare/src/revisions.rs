//! The crates of the two revisions.

/// Those of this checkout.
pub(crate) mod now {
    pub(crate) use ::{pool_core, pool_mysql};
}

/// Those of the other revision.
#[cfg(feature = "two-revisions")]
pub(crate) mod before {
    pub(crate) use {pool_core_before as pool_core, pool_mysql_before as pool_mysql};
}

/// There is no other revision in the workspace.
#[cfg(not(feature = "two-revisions"))]
pub(crate) use now as before;
