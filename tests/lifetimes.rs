//! How long connections live, how many may be idle, and what stands in the place of one that goes.

#[path = "lifetimes/age.rs"]
mod age;
#[path = "lifetimes/idle.rs"]
mod idle;
#[path = "lifetimes/keepalive.rs"]
mod keepalive;
#[path = "lifetimes/meanwhile.rs"]
mod meanwhile;
#[path = "lifetimes/replaced.rs"]
mod replaced;
#[path = "lifetimes/settings.rs"]
mod settings;
#[path = "lifetimes/suspects.rs"]
mod suspects;

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
