//! A pool that asks a provider for its user and password.

use std::io;

use pool_mysql::{ConnectOptions, Credentials, Pool, connect, create_pool};
use private_server::PrivateServer;

use crate::shown::{show, show_error, show_pool_error, write_down};
use crate::{SECRET, SOON, observed, show_all_of};

/// The password is the answer of a provider; the server takes it, or does not. Then there is no answer.
pub(crate) async fn provided(server: &PrivateServer) {
    let options = ConnectOptions::new().host("127.0.0.1").port(server.port());
    let asked = |user: &'static str| {
        options.clone().credentials(move || async move {
            let credentials = Credentials::new(user, SECRET);
            show(&credentials);
            Ok::<_, io::Error>(credentials)
        })
    };
    let pool = observed(create_pool(asked("secretive")));
    let pool = pool.build().await.unwrap();
    let held = pool.acquire().label("report").await.unwrap();
    show(&held);
    show_all_of(&pool);
    let report = pool.shutdown(SOON / 10).await;
    show(&report);
    write_down(&report.to_string(), |_| {});
    let silent = options
        .clone()
        .credentials(|| async { Err(io::Error::other("the vault is sealed")) });
    show_error(connect(silent.clone()).await.unwrap_err());
    for options in [asked("app"), silent] {
        show(&options);
        let pool: Pool = observed(create_pool(options).minsize(0))
            .build_lazy()
            .unwrap();
        for _ in 0..2 {
            show_pool_error(pool.acquire().timeout(SOON).await.unwrap_err());
            show_all_of(&pool);
        }
    }
}
