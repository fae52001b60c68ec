//! A dashboard of a pool under load: gauges, waits, borrowers and events as they happen, and buttons that break the
//! server.
//!
//! Run it with `cargo run --example dashboard`, and open the address on its first line. The events are printed too. It starts a MariaDB server of its own
//! (never the one in `MYSQL_URL`) and ends it when it ends: with Ctrl-C, or with the end of its standard input.
//!
//! `dashboard/watch.rs` is what a service of yours could take over: an observer and a snapshot as JSON.

#[cfg(test)]
#[path = "dashboard/browser.rs"]
mod browser;
#[cfg(test)]
#[path = "dashboard/buttons.rs"]
mod buttons;
#[path = "dashboard/faults.rs"]
mod faults;
#[path = "dashboard/load.rs"]
mod load;
#[cfg(test)]
#[path = "dashboard/secrets.rs"]
mod secrets;
#[path = "dashboard/watch.rs"]
mod watch;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use futures_lite::Stream;
use futures_lite::stream::unfold;
use pool_mysql::{ConnectOptions, Pool, create_pool};
use private_server::PrivateServer;
use tokio::net::TcpListener;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::faults::{Fault, Faults};
use crate::watch::Watch;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The whole page: it loads nothing else.
const PAGE: &str = include_str!("dashboard/page.html");

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let dashboard = Dashboard::start(routes).await?;
    println!("http://{}/", dashboard.address);
    println!("open it in a browser; Ctrl-C ends it");
    dashboard.shown.watch.print();
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended?,
        () = end_of_input() => {}
    }
    dashboard.stop().await?;
    println!("dashboard ok");
    Ok(())
}

/// Waits until nobody can type anything any more.
async fn end_of_input() {
    let (ended, end) = oneshot::channel::<()>();
    // A thread that nobody waits for: a read cannot be ended from outside.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(ended);
    });
    let _ = end.await;
}

/// The server, the pool, the load and the page, all of them running.
struct Dashboard {
    address: SocketAddr,
    shown: Shown,
    serving: JoinHandle<()>,
    load: JoinHandle<()>,
}

/// What the page shows, and what its buttons do.
#[derive(Clone)]
struct Shown {
    pool: Pool,
    watch: Watch,
    faults: Faults,
}

impl Dashboard {
    async fn start(routes: impl FnOnce(Shown) -> Router) -> Result<Self, AnyError> {
        let server = tokio::task::spawn_blocking(PrivateServer::start).await??;
        let server = Arc::new(server);
        let root = ConnectOptions::from_url(&server.url())?;
        load::prepare(root.clone()).await?;
        let watch = Watch::new();
        let pool = create_pool(load::user(root.clone()))
            .name("shop")
            .minsize(2)
            .maxsize(8)
            .acquire_timeout(Duration::from_secs(2))
            .connect_timeout(Duration::from_secs(2))
            .check_timeout(Duration::from_secs(1))
            .recycle_timeout(Duration::from_secs(1))
            .slow_acquire_after(Duration::from_millis(250))
            .leak_warning_after(Duration::from_secs(5))
            .observer(watch.observer())
            .build()
            .await?;
        let shown = Shown {
            faults: Faults::new(server, root, pool.clone()),
            watch,
            pool,
        };
        tokio::spawn(shown.watch.clone().tick(shown.pool.clone()));
        let load = tokio::spawn(load::run(shown.pool.clone()));
        // Nobody else on the network may break the server.
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let routes = routes(shown.clone());
        let serving = tokio::spawn(async move {
            // It serves until it is aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self {
            address,
            shown,
            serving,
            load,
        })
    }

    /// Closes the pool, and ends the server.
    async fn stop(self) -> Result<(), AnyError> {
        self.load.abort();
        self.serving.abort();
        self.shown.faults.heal().await;
        let pool = self.shown.pool;
        pool.close();
        if timeout(Duration::from_secs(5), pool.wait_closed())
            .await
            .is_err()
        {
            pool.terminate();
            pool.wait_closed().await?;
        }
        Ok(())
    }
}

fn routes(shown: Shown) -> Router {
    Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/events", get(events))
        .route("/fault/{name}", post(fault))
        .with_state(shown)
}

/// All that happens from now on, as server-sent events: `tick` has the counts, `told` an event of the pool.
async fn events(State(shown): State<Shown>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = shown.watch.subscribe();
    Sse::new(unfold(receiver, async |mut receiver: Receiver<_>| {
        loop {
            match receiver.recv().await {
                Ok((kind, text)) => {
                    let event = Event::default().event(kind).data(text);
                    return Some((Ok(event), receiver));
                }
                // A page that is too slow misses some.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }))
}

/// A button was pressed.
async fn fault(State(shown): State<Shown>, Path(name): Path<String>) -> impl IntoResponse {
    let Some(fault) = Fault::by_name(&name) else {
        return (StatusCode::NOT_FOUND, "no such fault");
    };
    match shown.faults.begin(fault, &shown.watch) {
        true => (StatusCode::ACCEPTED, "it begins"),
        false => (StatusCode::CONFLICT, "another fault has not ended yet"),
    }
}
