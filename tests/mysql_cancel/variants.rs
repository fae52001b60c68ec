//! The same over slow networks, under other policies, and with a server that is told.

use std::time::Duration;

use pool_mysql::{ConnectOptions, ResetPolicy};
use private_server::PrivateServer;
use support::within;

use crate::every_command_at_every_poll;
use crate::proxy::Proxy;

/// Each piece is held back for so long: more than the server needs for an answer.
pub(crate) const DELAY: Duration = Duration::from_micros(500);

fn everything(
    name: &'static str,
    options: impl FnOnce(&PrivateServer) -> ConnectOptions + Send + 'static,
) {
    within(Duration::from_secs(300), name, move || {
        let server = PrivateServer::start().expect("a server");
        let options = options(&server).user(server.user());
        every_command_at_every_poll(options, name);
    });
}

fn through_a_proxy(
    name: &'static str,
    to_server: Duration,
    to_client: Duration,
    policy: ResetPolicy,
) {
    everything(name, move |server| {
        let proxy = Proxy::to(server.port());
        proxy.delay(to_server, to_client);
        tcp(server).port(proxy.port()).reset_policy(policy)
    });
}

fn tcp(server: &PrivateServer) -> ConnectOptions {
    ConnectOptions::new()
        .host(server.host())
        .port(server.port())
}

#[test]
fn a_cancelled_command_never_leaks_when_the_way_to_the_server_is_long() {
    through_a_proxy("slow commands", DELAY, Duration::ZERO, ResetPolicy::Always);
}

#[test]
fn a_cancelled_command_never_leaks_when_the_way_back_is_long() {
    through_a_proxy("slow answers", Duration::ZERO, DELAY, ResetPolicy::Always);
}

#[test]
fn a_cancelled_command_never_leaks_where_only_the_dirty_are_reset() {
    everything("IfDirty, TCP", |server| {
        tcp(server).reset_policy(ResetPolicy::IfDirty)
    });
    everything("IfDirty, unix socket", |server| {
        ConnectOptions::new()
            .unix_socket(server.socket())
            .reset_policy(ResetPolicy::IfDirty)
    });
}

#[test]
fn a_cancelled_command_never_leaks_where_only_the_dirty_are_reset_and_the_network_is_slow() {
    through_a_proxy(
        "IfDirty, slow commands",
        DELAY,
        Duration::ZERO,
        ResetPolicy::IfDirty,
    );
    through_a_proxy(
        "IfDirty, slow answers",
        Duration::ZERO,
        DELAY,
        ResetPolicy::IfDirty,
    );
}

#[test]
fn a_cancelled_command_never_leaks_where_it_is_ended_at_the_server() {
    everything("kill_on_cancel", |server| tcp(server).kill_on_cancel(true));
}
