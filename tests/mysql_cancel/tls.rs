//! The same over TLS, also with a slow network.

use std::time::Duration;

use futures::executor::block_on;
use pool_mysql::{ConnectOptions, ResetPolicy, SslMode, connect};
use support::within;

use crate::authorities::{Authority, Lifetime, Server, cipher};
use crate::every_command_at_every_poll;
use crate::proxy::Proxy;
use crate::variants::DELAY;

fn over_tls(
    name: &'static str,
    options: impl FnOnce(&Server, ConnectOptions) -> ConnectOptions + Send + 'static,
) {
    within(Duration::from_secs(300), name, move || {
        let authority = Authority::new();
        let server = authority.server(&["127.0.0.1"], Lifetime::Long);
        let tls = server.with(SslMode::VerifyIdentity).ssl_ca(authority.ca());
        let options = options(&server, tls);
        let cipher = block_on(async {
            let mut conn = connect(options.clone()).await.expect("a good certificate");
            cipher(&mut conn).await
        });
        assert_ne!(cipher, "", "nothing is encrypted");
        every_command_at_every_poll(options, name);
    });
}

#[test]
fn a_cancelled_command_never_leaks_over_tls() {
    over_tls("TLS", |_, options| options);
}

#[test]
fn a_cancelled_command_never_leaks_over_tls_where_only_the_dirty_are_reset() {
    over_tls("IfDirty, TLS", |_, options| {
        options.reset_policy(ResetPolicy::IfDirty)
    });
}

#[test]
fn a_cancelled_command_never_leaks_over_tls_when_the_way_is_long() {
    for (name, to_server, to_client) in [
        ("TLS, slow commands", DELAY, Duration::ZERO),
        ("TLS, slow answers", Duration::ZERO, DELAY),
    ] {
        over_tls(name, move |server, options| {
            let proxy = Proxy::to(server.0.port());
            proxy.delay(to_server, to_client);
            options.port(proxy.port())
        });
    }
}
