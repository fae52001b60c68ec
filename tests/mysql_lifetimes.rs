//! How long connections live, on a real server under load: no acquire fails, the server never has more sessions than maxsize,
//! and at rest it has as many as the pool says.

#[path = "mysql_lifetimes/crowd.rs"]
mod crowd;
#[path = "mysql_lifetimes/idle.rs"]
mod idle;
#[path = "mysql_lifetimes/killed.rs"]
mod killed;
#[path = "mysql_lifetimes/replaced.rs"]
mod replaced;
#[path = "mysql_connection/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "mysql_lifetimes/worn.rs"]
mod worn;

use std::time::Duration;

use pool_mysql::{ConnectOptions, create_pool, create_pool_from_url};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_pool_has_the_defaults_that_its_page_says() {
    let from_url = create_pool_from_url("mysql://root@127.0.0.1/test").expect("a good URL");
    for builder in [create_pool(ConnectOptions::new()), from_url] {
        let pool = builder.minsize(0).build_lazy().expect("a good pool");
        let settings = pool.settings();
        assert_eq!(settings.max_lifetime(), Some(30 * 60 * SECOND));
        assert_eq!(settings.max_lifetime_jitter(), None, "a tenth of it");
        assert_eq!(settings.idle_timeout(), Some(10 * 60 * SECOND));
        assert_eq!(settings.connect_retry(), Some(3 * SECOND));
        assert_eq!(settings.max_connecting(), Some(16));
        assert_eq!((settings.min_idle(), settings.max_idle()), (0, None));
        assert_eq!((settings.max_uses(), settings.keepalive()), (None, None));
    }
}
