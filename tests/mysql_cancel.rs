//! A cancelled command never leaks: every kind of command, dropped at every poll, over TCP, a unix socket and TLS. The
//! same guard then refuses, and the next borrower of the only place finds a clean session.

#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[path = "mysql_tls/authorities.rs"]
#[allow(dead_code)]
mod authorities;
#[path = "mysql_cancel/kinds.rs"]
mod kinds;
#[path = "mysql_return/proxy.rs"]
#[allow(dead_code)]
mod proxy;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[path = "mysql_cancel/tls.rs"]
mod tls;
#[path = "mysql_cancel/variants.rs"]
mod variants;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures::executor::block_on;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::mysql_async::{DriverError, Error as MySqlError, Params};
use pool_mysql::{ConnectOptions, Connection, Pool, PooledConnection, create_pool};
use private_server::PrivateServer;
use support::within;

use crate::kinds::{Command, DIRT, KINDS, Kind};

/// What a fresh session answers, for comparison with that of the next borrower.
async fn session(conn: &mut Connection) -> Vec<String> {
    // A lock counts if it is this session's: a session that is being closed may hold its own a moment longer.
    let sql = "SELECT CONCAT_WS('|', IFNULL(@secret, ''), @@sql_mode, \
               IS_USED_LOCK('alice') <=> CONNECTION_ID(), DATABASE(), @@character_set_client, \
               @@tx_isolation, @@autocommit, @@in_transaction)";
    let state: Option<Option<String>> = conn.query_first(sql).await.expect("a clean answer");
    let hidden = conn.query_drop("SELECT * FROM test.hidden").await.is_ok();
    let state = state.flatten().expect("nothing in it is NULL");
    let mut answers: Vec<String> = state.split('|').map(str::to_owned).collect();
    answers.push(format!("temporary table: {hidden}"));
    answers
}

/// The next borrower asks for something only it can know: an answer to anybody else's question would not be that.
async fn nonces(conn: &mut Connection, round: usize) {
    for number in 0..3 {
        let nonce = format!("nonce-{round}-{number}");
        let text: Option<String> = conn
            .query_first(format!("SELECT '{nonce}'"))
            .await
            .expect("an answer to the text");
        assert_eq!(
            text.as_deref(),
            Some(nonce.as_str()),
            "somebody else's answer"
        );
        let bound: Option<String> = conn
            .exec_first("SELECT ?", Params::from((nonce.as_str(),)))
            .await
            .expect("an answer to the statement");
        assert_eq!(
            bound.as_deref(),
            Some(nonce.as_str()),
            "somebody else's answer"
        );
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a command `polls` times, waiting for its wake in between, and drops it; `true`: it ended before.
fn drop_after(polls: usize, command: Command<'_>) -> bool {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut command = command;
    for poll in 0..polls {
        if poll > 0 {
            thread::park_timeout(Duration::from_secs(1));
        }
        if let Poll::Ready(()) = command.as_mut().poll(&mut cx) {
            return true;
        }
    }
    false
}

fn is_refusal(error: &MySqlError) -> bool {
    matches!(error, MySqlError::Driver(DriverError::ConnectionClosed))
}

/// One command, dropped after so many polls; `true`: it had ended.
fn one_case(pool: &Pool, name: &str, kind: Kind, polls: usize, clean: &[String]) -> bool {
    let mut conn = block_on(pool.acquire()).expect("the only place");
    let ended = drop_after(polls, kind(&mut conn));
    if conn.is_closed() {
        let refused = block_on(conn.query_first::<String, _>("SELECT 'the same guard goes on'"));
        assert!(
            refused.as_ref().is_err_and(is_refusal),
            "{name}, {polls} polls: {refused:?}"
        );
        assert!(block_on(conn.ping()).is_err_and(|error| is_refusal(&error)));
    } else if polls > 0 {
        // It was dropped where nothing was under way: what it goes on with must be its own.
        block_on(nonces(&mut conn, polls));
    }
    drop(conn);
    block_on(async {
        let mut conn = pool.acquire().await.expect("the only place");
        nonces(&mut conn, polls).await;
        assert_eq!(session(&mut conn).await, clean, "{name}, {polls} polls");
    });
    ended
}

/// A pool of one connection, and what a fresh session of it answers.
fn pool_of_one(options: ConnectOptions) -> (Pool, Vec<String>) {
    let pool = create_pool(options.db("test").autocommit(true))
        .minsize(0)
        .maxsize(1);
    let pool = block_on(pool.build()).expect("a pool");
    let clean = block_on(async {
        let mut conn = pool.acquire().await.expect("the only place");
        conn.query_drop("CREATE TABLE IF NOT EXISTS secrets (id INT, owner VARCHAR(9))")
            .await
            .expect("a table");
        conn.query_drop(
            "CREATE OR REPLACE PROCEDURE tell(who TEXT, times INT) \
             BEGIN SELECT who; SELECT seq, who FROM seq_1_to_9 LIMIT times; END",
        )
        .await
        .expect("a procedure");
        // Else these kinds would be refused, and cancelled in the middle of nothing.
        let load = "LOAD DATA LOCAL INFILE 'memory' INTO TABLE secrets";
        let loaded = conn.load_local(load, "1\talice\n").await;
        loaded.expect("bytes are taken for a local file");
        let called = conn.cursor().callproc("tell", ("alice", 2)).await;
        called.expect("the procedure can be called");
        session(&mut conn).await
    });
    (pool, clean)
}

fn close(pool: Pool) {
    pool.close();
    block_on(pool.wait_closed()).expect("it was closed");
    assert_eq!(pool.size(), 0);
}

fn every_command_at_every_poll(options: ConnectOptions, transport: &str) {
    let (pool, clean) = pool_of_one(options);
    let mut cases = 0;
    for &(name, kind) in KINDS {
        let mut polls = 0;
        while !one_case(&pool, name, kind, polls, &clean) {
            polls += 1;
            cases += 1;
            assert!(polls < 500, "{name} never ends");
        }
        cases += 1;
    }
    println!("{transport}: {cases} cancelled or ended commands, none leaked");
    close(pool);
}

/// A release of a session with all eight kinds of state, given up after so many polls; `true`: it had ended.
fn one_release(pool: &Pool, polls: usize, clean: &[String]) -> bool {
    let mut conn = block_on(pool.acquire()).expect("the only place");
    block_on(async {
        for statement in DIRT {
            conn.query_drop(statement).await.expect("it gets dirty");
        }
        let dirty = session(&mut conn).await;
        let kinds = dirty
            .iter()
            .zip(clean)
            .filter(|(dirty, clean)| dirty != clean);
        assert_eq!(kinds.count(), DIRT.len(), "{dirty:?}");
    });
    let release = async { PooledConnection::release(conn).await.expect("it is clean") };
    let ended = drop_after(polls, Box::pin(release));
    block_on(async {
        let mut conn = pool.acquire().await.expect("the only place");
        nonces(&mut conn, polls).await;
        assert_eq!(session(&mut conn).await, clean, "{polls} polls");
    });
    ended
}

#[test]
fn an_awaited_release_that_is_given_up_leaves_the_next_borrower_a_clean_session() {
    within(Duration::from_secs(120), "releases given up", || {
        let server = PrivateServer::start().expect("a server");
        let tcp = ConnectOptions::new()
            .host(server.host())
            .port(server.port());
        let socket = ConnectOptions::new().unix_socket(server.socket());
        for options in [tcp, socket] {
            let (pool, clean) = pool_of_one(options.user(server.user()));
            let mut polls = 0;
            while !one_release(&pool, polls, &clean) {
                polls += 1;
                assert!(polls < 100, "a release never ends");
            }
            println!("{polls} releases given up, none left anything");
            assert!(polls > 0, "it was given up at least once");
            close(pool);
        }
    });
}

#[test]
fn a_cancelled_command_never_leaks_over_tcp() {
    within(
        Duration::from_secs(300),
        "cancelled commands over TCP",
        || {
            let server = PrivateServer::start().expect("a server");
            let options = ConnectOptions::new()
                .host(server.host())
                .port(server.port());
            every_command_at_every_poll(options.user(server.user()), "TCP");
        },
    );
}

#[test]
fn a_cancelled_command_never_leaks_over_a_unix_socket() {
    within(
        Duration::from_secs(300),
        "cancelled commands over a socket",
        || {
            let server = PrivateServer::start().expect("a server");
            let options = ConnectOptions::new().unix_socket(server.socket());
            every_command_at_every_poll(options.user(server.user()), "unix socket");
        },
    );
}

/// 64 tasks on 4 connections cancel at random moments, and no answer is ever somebody else's.
#[test]
fn tasks_that_cancel_at_random_read_only_their_own_answers() {
    within(Duration::from_secs(120), "random cancels", || {
        let server = PrivateServer::start().expect("a server");
        let options = ConnectOptions::from_url(&server.url()).expect("its own url");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("tokio starts");
        runtime.block_on(async move {
            let pool = create_pool(options)
                .maxsize(4)
                .build()
                .await
                .expect("a pool");
            let tasks: Vec<_> = (0..64_u64)
                .map(|task| tokio::spawn(asks_and_gives_up(pool.clone(), task)))
                .collect();
            let mut answers = 0;
            for task in tasks {
                answers += task.await.expect("no wrong answer");
            }
            assert!(answers >= 64, "everybody was answered at least once");
            let guards = futures::future::join_all((0..4).map(|_| pool.acquire())).await;
            assert!(guards.iter().all(Result::is_ok), "every place is usable");
            drop(guards);
            pool.close();
            pool.wait_closed().await.expect("it was closed");
        });
    });
}

async fn asks_and_gives_up(pool: Pool, task: u64) -> usize {
    let mut answers = 0;
    for round in 0..20 {
        let question = task * 1_000 + round;
        // The last question is asked until it is answered: a busy machine answers none of the others.
        let patience = match round {
            19 => Duration::from_secs(60),
            _ => Duration::from_micros((question * 7_919) % 1_500),
        };
        let ask = async {
            let mut conn = pool.acquire().await.expect("the pool is open");
            let sql = format!("SELECT {question} FROM (SELECT SLEEP(0.0005)) AS a_while");
            conn.query_first::<u64, _>(sql).await.expect("an answer")
        };
        let mut ask = pin!(ask);
        if let Ok(answer) = tokio::time::timeout(patience, ask.as_mut()).await {
            assert_eq!(answer, Some(question), "somebody else's answer");
            answers += 1;
        }
    }
    answers
}
