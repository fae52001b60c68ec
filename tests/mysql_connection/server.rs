//! A server of one's own and a second connection that watches it.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use pool_core::Runtime;
use pool_mysql::mysql_async::{DriverError, Error as DriverFailure, prelude::Queryable};
use pool_mysql::{ConnectOptions, Connection, Error, MySqlRuntime, Pool, connect, create_pool};
use private_server::PrivateServer;
use support::watchdog::{MINUTE, within};

/// A server, and how to get to it.
pub(crate) struct Server(PrivateServer);

impl Deref for Server {
    type Target = PrivateServer;

    fn deref(&self) -> &PrivateServer {
        &self.0
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(options: &[&str]) -> Self {
        let builder = options
            .iter()
            .fold(PrivateServer::builder(), |builder, option| {
                builder.option(*option)
            });
        Self(builder.start().expect("a server starts"))
    }

    /// Over TCP, in the database `test`.
    pub(crate) fn tcp(&self) -> ConnectOptions {
        ConnectOptions::new()
            .host(self.host())
            .port(self.port())
            .user(self.user())
            .password(self.password())
            .db("test")
    }

    /// Over the unix socket, in the database `test`.
    pub(crate) fn unix(&self) -> ConnectOptions {
        self.tcp().unix_socket(self.socket())
    }

    /// Both ways.
    pub(crate) fn both(&self) -> [ConnectOptions; 2] {
        [self.tcp(), self.unix()]
    }

    pub(crate) async fn connect(&self) -> Connection {
        connect(self.tcp()).await.expect("the server takes it")
    }

    /// A pool of one connection, which is opened when it is needed.
    pub(crate) fn pool_of_one(&self) -> Pool {
        one(self.tcp())
    }

    pub(crate) async fn watcher(&self) -> Watcher {
        Watcher(connect(self.unix()).await.expect("the server takes it"))
    }
}

/// A pool of one connection that comes back at once and without checks.
pub(crate) fn one(options: ConnectOptions) -> Pool {
    create_pool(options)
        .minsize(0)
        .maxsize(1)
        .build_lazy()
        .expect("a good pool")
}

/// A connection that looks on.
pub(crate) struct Watcher(Connection);

impl Watcher {
    /// The numbers of all other sessions, and what they do.
    pub(crate) async fn sessions(&mut self) -> Vec<(u64, Option<String>)> {
        let query = "SELECT ID, INFO FROM information_schema.PROCESSLIST \
            WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Daemon'";
        self.0.query(query).await.expect("the server answers")
    }

    /// Waits until no other session is left.
    pub(crate) async fn nobody_else(&mut self) {
        let start = Instant::now();
        loop {
            let sessions = self.sessions().await;
            if sessions.is_empty() {
                return;
            }
            assert!(start.elapsed() < MINUTE, "still there: {sessions:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a session runs a statement that contains `text`; returns its number.
    pub(crate) async fn somebody_runs(&mut self, text: &str) -> u64 {
        let start = Instant::now();
        loop {
            let sessions = self.sessions().await;
            let runs =
                |info: &Option<String>| info.as_deref().is_some_and(|info| info.contains(text));
            if let Some((id, _)) = sessions.iter().find(|(_, info)| runs(info)) {
                return *id;
            }
            assert!(start.elapsed() < MINUTE, "nobody runs {text}: {sessions:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until this session runs a statement that contains `text`.
    pub(crate) async fn it_runs(&mut self, id: u64, text: &str) {
        let start = Instant::now();
        loop {
            let sessions = self.sessions().await;
            let runs = |info: &Option<String>| info.as_ref().is_some_and(|it| it.contains(text));
            if sessions.iter().any(|(it, info)| *it == id && runs(info)) {
                return;
            }
            assert!(
                start.elapsed() < MINUTE,
                "{id} does not run {text}: {sessions:?}"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the server has ended this session.
    pub(crate) async fn it_is_gone(&mut self, id: u64) {
        let start = Instant::now();
        loop {
            let sessions = self.sessions().await;
            if !sessions.iter().any(|(it, _)| *it == id) {
                return;
            }
            assert!(
                start.elapsed() < MINUTE,
                "{id} is still there: {sessions:?}"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many sessions at once run a statement that contains `text`.
    pub(crate) async fn so_many_run(&mut self, wanted: usize, text: &str) {
        let start = Instant::now();
        loop {
            let sessions = self.sessions().await;
            let statements = sessions.iter().filter_map(|(_, info)| info.as_deref());
            let running = statements.filter(|info| info.contains(text)).count();
            if running == wanted {
                return;
            }
            assert!(
                start.elapsed() < MINUTE,
                "{running} of {wanted} run {text}: {sessions:?}"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// A counter of the server.
    pub(crate) async fn count(&mut self, name: &str) -> u64 {
        let query = format!("SHOW GLOBAL STATUS LIKE '{name}'");
        let row: Option<(String, u64)> = self.0.query_first(query).await.expect("it answers");
        row.expect("there is such a counter").1
    }

    /// How many rows a table has for somebody who reads what is committed.
    #[allow(dead_code)]
    pub(crate) async fn rows(&mut self, table: &str) -> i64 {
        number(&mut self.0, &format!("SELECT COUNT(*) FROM {table}")).await
    }

    pub(crate) async fn run(&mut self, sql: &str) {
        self.0.query_drop(sql).await.expect("the server takes it");
    }
}

/// Runs a body on the bare executor, under a deadline.
pub(crate) fn test<F: Future<Output = ()>>(body: impl FnOnce() -> F + Send + 'static) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    within(MINUTE, &name, || futures::executor::block_on(body()));
}

pub(crate) async fn sleep(time: Duration) {
    let runtime = MySqlRuntime::new();
    runtime.sleep_until(runtime.now() + time).await;
}

/// Drives a future for so long, then drops it: `None`.
pub(crate) async fn for_a_while<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut end = std::pin::pin!(sleep(time));
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Polls a future so many times, each time it is woken, then drops it: `None`.
pub(crate) async fn polled<T>(
    times: usize,
    mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>,
) -> Option<T> {
    let mut left = times;
    std::future::poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

pub(crate) fn is_refused<T>(result: &Result<T, DriverFailure>) -> bool {
    matches!(
        result,
        Err(DriverFailure::Driver(DriverError::ConnectionClosed))
    )
}

pub(crate) fn code<T>(result: Result<T, DriverFailure>) -> u16 {
    match result {
        Err(DriverFailure::Server(error)) => error.code,
        Err(error) => panic!("not the server's error: {error}"),
        Ok(_) => panic!("no error"),
    }
}

/// The one number that a query answers.
pub(crate) async fn number(conn: &mut Connection, sql: &str) -> i64 {
    let row: Option<i64> = conn.query_first(sql).await.expect("it answers");
    row.expect("one row")
}

/// The one text, or NULL, that a query answers.
pub(crate) async fn text(conn: &mut Connection, sql: &str) -> Option<String> {
    let row: Option<Option<String>> = conn.query_first(sql).await.expect("it answers");
    row.expect("one row")
}

pub(crate) fn is_closed<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(error) if error.is_closed())
}
