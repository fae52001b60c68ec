//! What aiomysql's `tests/test_pool.py` promises, test by test, and where we promise something else on purpose.
//!
//! The names are those under which the promises are known to us; the comment of each body names the original. Test 6
//! (a guard cannot be had without awaiting) is a doc test.

#[path = "aiomysql_parity/bodies.rs"]
mod bodies;
#[path = "aiomysql_parity/closing_bodies.rs"]
mod closing_bodies;
#[path = "aiomysql_parity/deviations.rs"]
mod deviations;
#[path = "aiomysql_parity/limit_bodies.rs"]
mod limit_bodies;
#[path = "aiomysql_parity/on_the_fake.rs"]
mod on_the_fake;
#[path = "aiomysql_parity/on_the_server.rs"]
mod on_the_server;
#[path = "aiomysql_parity/with_upkeep.rs"]
mod with_upkeep;
