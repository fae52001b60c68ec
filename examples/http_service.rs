//! An HTTP service on axum: a health endpoint, transactions, an answer when it is too busy, and a graceful shutdown.
//!
//! Run it with `cargo run --example http_service`. It starts, sends requests to itself, and stops. With an address, as in
//! `cargo run --example http_service -- 127.0.0.1:8080`, it serves until Ctrl-C or SIGTERM.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{Error, Pool, TransactionOptions, create_pool_from_url, mysql_async, pool_core};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let server = examples::Server::find().map_err(|error| error.to_string())?;
    let pool = create_pool_from_url(server.url())?
        .maxsize(4)
        // No client waits longer than this, and not more than so many at once.
        .acquire_timeout(Duration::from_secs(3))
        .max_waiters(1000)
        .build()
        .await?;
    prepare(&pool).await?;

    let address = std::env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let here = listener.local_addr()?;
    // So long may requests take that are running when the service is told to stop. Kubernetes waits for 30 seconds.
    let grace = Duration::from_secs(if address.is_some() { 20 } else { 2 });
    let (stop, stopped) = watch::channel(false);
    let users = pool.clone();
    let serving = tokio::spawn(async move {
        let server = axum::serve(listener, routes(pool.clone()))
            .with_graceful_shutdown(told_to_stop(stopped.clone()));
        let grace_is_over = async {
            told_to_stop(stopped).await;
            sleep(grace).await;
        };
        tokio::select! {
            served = server.into_future() => served?,
            () = grace_is_over => eprintln!("some requests have not ended"),
        }
        // What is still in use after a second is aborted, so that no request keeps the process.
        let report = pool.shutdown(Duration::from_secs(1)).await;
        if !report.is_clean() {
            eprintln!("{report}");
        }
        Ok::<_, AnyError>(report)
    });

    if address.is_some() {
        println!("serving on http://{here}/health until Ctrl-C or SIGTERM");
        stop_signal().await?;
        stop.send_replace(true);
        serving.await??;
    } else {
        ask(here, users, stop).await?;
        let report = serving.await??;
        // The request that hangs was cut off, and the report says who it was.
        assert_eq!(report.left().len(), 1, "{report}");
    }
    println!("http service ok");
    Ok(())
}

/// Waits until the service stops. It also stops when the sender is gone.
async fn told_to_stop(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Waits for a signal to stop: by Ctrl-C, or by SIGTERM as from systemd and Kubernetes.
async fn stop_signal() -> Result<(), AnyError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn routes(pool: Pool) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/accounts/{id}", get(account))
        .route("/transfer/{from}/{to}/{amount}", post(transfer))
        .route("/report/{seconds}", get(report))
        .with_state(pool)
}

async fn prepare(pool: &Pool) -> Result<(), AnyError> {
    let mut conn = pool.acquire().await?;
    conn.query_drop(
        "CREATE OR REPLACE TABLE accounts (id INT PRIMARY KEY, amount BIGINT NOT NULL) ENGINE=InnoDB;
         INSERT INTO accounts VALUES (1, 1000), (2, 1000)",
    )
    .await?;
    Ok(())
}

/// Says whether the service works.
///
/// While every connection is in use, the pool is taken to serve, and the check takes no connection from the users. At other
/// times a connection is taken, and the server has to answer a ping.
async fn health(State(pool): State<Pool>) -> Response {
    let readiness = pool.readiness();
    let (code, word) = if readiness.is_busy() {
        (StatusCode::OK, "busy")
    } else {
        match timeout(Duration::from_secs(1), pool.ping()).await {
            Ok(Ok(())) => (StatusCode::OK, "up"),
            failed => {
                // The client must not see the details, so they go to the log.
                match failed {
                    Ok(Err(error)) => eprintln!("the health check failed: {error}"),
                    _ => eprintln!("the health check failed: no answer within a second"),
                }
                (StatusCode::SERVICE_UNAVAILABLE, "down")
            }
        }
    };
    let status = pool.status();
    let body = format!(
        r#"{{"status":"{word}","size":{},"free":{},"busy":{},"waiting":{},"max":{}}}"#,
        status.size(),
        status.freesize(),
        status.held(),
        status.waiting(),
        status.maxsize(),
    );
    (code, [("content-type", "application/json")], body).into_response()
}

async fn account(State(pool): State<Pool>, Path(id): Path<i64>) -> Result<String, Failure> {
    let mut conn = pool.acquire().await?;
    let amount: Option<i64> = conn
        .exec_first("SELECT amount FROM accounts WHERE id = ?", (id,))
        .await?;
    amount
        .map(|amount| amount.to_string())
        .ok_or(Failure::NoSuchAccount)
}

/// Moves money. Either both accounts change or none. After a deadlock with another transfer, the transaction is repeated.
async fn transfer(
    State(pool): State<Pool>,
    Path((from, to, amount)): Path<(i64, i64, i64)>,
) -> Result<String, Failure> {
    let mut conn = pool.acquire().await?;
    let again = TransactionOptions::new().retries(10);
    let left = conn
        .transaction_with(again, |tx| {
            Box::pin(async move {
                let take = "UPDATE accounts SET amount = amount - ? WHERE id = ?";
                tx.exec_drop(take, (amount, from)).await?;
                let left = "SELECT amount FROM accounts WHERE id = ?";
                let left: Option<i64> = tx.exec_first(left, (from,)).await?;
                let left = left.ok_or(Failure::NoSuchAccount)?;
                if left < 0 || amount < 0 {
                    // After an error the transaction is rolled back.
                    return Err(Failure::TooLittle);
                }
                let give = "UPDATE accounts SET amount = amount + ? WHERE id = ?";
                tx.exec_drop(give, (amount, to)).await?;
                Ok(left)
            })
        })
        .await?;
    Ok(left.to_string())
}

/// Takes so many seconds, so that the shutdown has to wait for it.
async fn report(State(pool): State<Pool>, Path(seconds): Path<f64>) -> Result<String, Failure> {
    let mut conn = pool.acquire().label("report").await?;
    let sum = "SELECT CAST(SUM(amount) AS SIGNED), SLEEP(?) FROM accounts";
    let sum: Option<(i64, i64)> = conn.exec_first(sum, (seconds,)).await?;
    Ok(sum.map_or(0, |(sum, _)| sum).to_string())
}

/// The failures that a client is told about.
enum Failure {
    NoSuchAccount,
    TooLittle,
    /// The pool had no connection, or the server refused.
    Database(Error),
}

impl From<mysql_async::Error> for Failure {
    fn from(error: mysql_async::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<pool_core::Error<Error>> for Failure {
    fn from(error: pool_core::Error<Error>) -> Self {
        Self::Database(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (code, text) = match self {
            Self::NoSuchAccount => (StatusCode::NOT_FOUND, "no such account"),
            Self::TooLittle => (StatusCode::CONFLICT, "too little money"),
            // Nobody knows whether it was committed. The client has to find out.
            Self::Database(error) if error.is_outcome_unknown() => {
                (StatusCode::GATEWAY_TIMEOUT, "it may or may not be done")
            }
            // The pool had no connection to give, or the server refuses for now. The log says why, and the client is told when
            // to come again.
            Self::Database(error) if is_too_busy(&error) => return later("too busy", &error),
            Self::Database(error) if error.is_retryable() => return later("try again", &error),
            Self::Database(error) => {
                // The client must not see the details, so they go to the log.
                eprintln!("a request failed: {error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "a failure")
            }
        };
        (code, text).into_response()
    }
}

/// No connection within `acquire_timeout`, or too many requests wait for one already.
fn is_too_busy(error: &Error) -> bool {
    use pool_core::{Error as PoolError, Phase};
    matches!(error, Error::Pool(error) if matches!(
        &**error,
        PoolError::Timeout { phase: Phase::Wait, .. } | PoolError::QueueFull
    ))
}

fn later(text: &'static str, error: &Error) -> Response {
    eprintln!("a request was sent away: {error}");
    let retry_after = [("retry-after", "1")];
    (StatusCode::SERVICE_UNAVAILABLE, retry_after, text).into_response()
}

/// Sends requests to the service and checks the answers, as its tests might do.
async fn ask(here: SocketAddr, pool: Pool, stop: watch::Sender<bool>) -> Result<(), AnyError> {
    let (code, body) = request(here, "GET", "/health").await?;
    println!("health: {code} {body}");
    assert!(code == 200 && body.contains(r#""status":"up""#));

    assert_eq!(request(here, "POST", "/transfer/1/2/5000").await?.0, 409);
    assert_eq!(request(here, "GET", "/accounts/3").await?.0, 404);
    // Transfers in both directions at once, so that there are deadlocks.
    let transfers: Vec<_> = (0..20)
        .map(|number| {
            let path = ["/transfer/1/2/10", "/transfer/2/1/10"][number % 2];
            tokio::spawn(request(here, "POST", path))
        })
        .collect();
    for transfer in transfers {
        assert_eq!(transfer.await??.0, 200);
    }
    assert_eq!(request(here, "GET", "/accounts/1").await?.1, "1000");

    // While others hold every connection, the service is healthy, and a request is told when to come again.
    let mut held = Vec::new();
    for _ in 0..pool.maxsize() {
        held.push(pool.acquire().label("a long report").await?);
    }
    let (code, body) = request(here, "GET", "/health").await?;
    assert!(code == 200 && body.contains(r#""status":"busy""#));
    let answer = exchange(here, "GET", "/accounts/1").await?;
    println!("while all are in use: {}", answer.replace("\r\n", "; "));
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n"));
    // Where as many wait as may, it is told so at once, and does not wait for `acquire_timeout` first.
    pool.reconfigure(|knobs| knobs.max_waiters(0))?;
    let start = Instant::now();
    let answer = exchange(here, "GET", "/accounts/1").await?;
    println!("while the queue is full: {}", answer.replace("\r\n", "; "));
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n"));
    assert!(start.elapsed() < Duration::from_secs(2));
    pool.reconfigure(|knobs| knobs.max_waiters(1000))?;
    drop((held, pool));

    // A request that is running when the service is told to stop is still answered, unless it takes for ever.
    let hanging = tokio::spawn(request(here, "GET", "/report/1000"));
    let report = tokio::spawn(request(here, "GET", "/report/0.3"));
    while !report.is_finished() && !hanging.is_finished() {
        if request(here, "GET", "/health")
            .await?
            .1
            .contains(r#""busy":2"#)
        {
            break;
        }
    }
    stop.send_replace(true);
    let (code, body) = report.await??;
    println!("the report after the stop: {code} {body}");
    assert_eq!((code, body.as_str()), (200, "2000"));
    Ok(())
}

/// The status and the body of the answer to a request.
async fn request(
    here: SocketAddr,
    method: &'static str,
    path: &'static str,
) -> Result<(u16, String), AnyError> {
    let answer = exchange(here, method, path).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    let code = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    Ok((code, body.to_owned()))
}

/// The smallest HTTP client.
async fn exchange(
    here: SocketAddr,
    method: &'static str,
    path: &'static str,
) -> Result<String, AnyError> {
    let mut stream = TcpStream::connect(here).await?;
    let text = format!("{method} {path} HTTP/1.1\r\nHost: {here}\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
