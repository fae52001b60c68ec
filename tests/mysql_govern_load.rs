//! What governs a pool, on a real server under load: each verb and setting keeps its promise beside a crowd of users, and at the
//! end the counts are right and the server has no session left.

#[path = "mysql_govern_load/beside.rs"]
mod beside;
#[path = "mysql_govern_load/changed.rs"]
mod changed;
#[path = "mysql_lifetimes/crowd.rs"]
#[allow(dead_code)]
mod crowd;
#[path = "mysql_govern_load/ended.rs"]
mod ended;
#[path = "mysql_govern_load/handles.rs"]
mod handles;
#[path = "mysql_govern_load/intercepted.rs"]
mod intercepted;
#[path = "mysql_govern_load/joined.rs"]
mod joined;
#[path = "mysql_govern_load/priorities.rs"]
mod priorities;
#[path = "mysql_govern_load/refused.rs"]
mod refused;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "mysql_govern_load/started.rs"]
mod started;
