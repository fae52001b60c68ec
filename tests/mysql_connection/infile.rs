//! `LOAD DATA LOCAL INFILE`: what a server gets, and what it does not.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ClosedBecause, ConnectOptions, Error, connect};

use crate::server::{Server, code, is_refused, number, one, test};

const LOAD: &str = "LOAD DATA LOCAL INFILE";

/// A file of a test's own; removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, contents: &[u8]) -> Self {
        let name = format!("pool-mysql-infile-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, contents).unwrap();
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

async fn server() -> Server {
    let server = Server::with(&["--local-infile=1"]);
    let mut watcher = server.watcher().await;
    watcher
        .run("CREATE TABLE test.t (a INT, b TEXT) ENGINE=InnoDB")
        .await;
    server
}

#[test]
fn a_file_that_is_named_is_loaded() {
    test(|| async {
        let server = server().await;
        // More than one chunk, and no newline at its end.
        let rows: String = (0..20_000).map(|i| format!("{i}\trow {i}\n")).collect();
        let file = Scratch::new("named", rows.trim_end().as_bytes());
        for options in server.both() {
            let mut conn = connect(options.local_infile_paths([&file.0]))
                .await
                .unwrap();
            let sql = format!("{LOAD} '{}' INTO TABLE t", file.name());
            conn.query_drop(sql).await.unwrap();
            assert_eq!(conn.affected_rows(), 20_000);
            assert_eq!(number(&mut conn, "SELECT SUM(a) FROM t").await, 199_990_000);
            conn.query_drop("TRUNCATE t").await.unwrap();
        }
    });
}

#[test]
fn another_file_is_refused_and_the_connection_is_gone() {
    test(|| async {
        let server = server().await;
        let file = Scratch::new("allowed", b"1\tone\n");
        let pool = one(server.tcp().local_infile_paths([&file.0]));
        let roundabout = format!("{}/../{}", std::env::temp_dir().display(), file.name());
        for name in ["/etc/passwd", "", "passwd", &roundabout] {
            let mut conn = pool.acquire().await.unwrap();
            let sql = format!("{LOAD} '{name}' INTO TABLE t");
            let error = conn.query_drop(sql).await.unwrap_err();
            assert!(
                error.to_string().contains("not among local_infile_paths"),
                "{error}"
            );
            assert!(is_refused(&conn.query_drop("DO 1").await));
            drop(conn);
            // The place is free, and the next user has a good one.
            let mut conn = pool.acquire().await.unwrap();
            assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM t").await, 0);
        }
    });
}

#[test]
fn nothing_is_sent_where_nothing_was_allowed() {
    test(|| async {
        let server = server().await;
        for options in server.both() {
            let mut conn = connect(options).await.unwrap();
            let sql = format!("{LOAD} '/etc/passwd' INTO TABLE t");
            let error = conn.query_drop(sql).await.unwrap_err();
            assert!(error.to_string().contains("/etc/passwd"), "{error}");
            assert!(conn.is_closed());
        }
        let mut conn = server.connect().await;
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM t").await, 0);
    });
}

#[test]
fn a_file_that_is_missing_or_no_file_is_an_error_and_no_wait() {
    test(|| async {
        let server = server().await;
        let folder = std::env::temp_dir();
        let missing = folder.join("pool-mysql-no-such-file");
        let options = server.tcp().local_infile_paths([&folder, &missing]);
        for path in [&folder, &missing] {
            let mut conn = connect(options.clone()).await.unwrap();
            let sql = format!("{LOAD} '{}' INTO TABLE t", path.display());
            conn.query_drop(sql).await.unwrap_err();
            assert!(conn.is_closed());
        }
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_breaks_off_leaves_nothing_behind() {
    test(|| async {
        let server = server().await;
        // A regular file that can be opened and not be read.
        let path = "/proc/self/mem";
        let mut conn = connect(server.tcp().local_infile_paths([path]))
            .await
            .unwrap();
        let sql = format!("{LOAD} '{path}' INTO TABLE t");
        let refused = conn.query_drop(sql).await;
        assert!(is_refused(&refused));
        let because = ClosedBecause::LocalFileFailed;
        assert_eq!(conn.closed_because(), Some(because));
        let error = Error::from(refused.unwrap_err());
        assert_eq!(
            error.to_string(),
            format!("the connection is closed: {because}")
        );
        let mut conn = server.connect().await;
        assert_eq!(number(&mut conn, "SELECT COUNT(*) FROM t").await, 0);
    });
}

#[test]
fn bytes_of_the_callers_are_loaded_and_no_file_is_looked_at() {
    test(|| async {
        let server = server().await;
        for options in server.both() {
            let mut conn = connect(options).await.unwrap();
            let sql = format!("{LOAD} '/etc/passwd' INTO TABLE t");
            let rows = conn.load_local(&sql, "1\tone\n2\ttwo\n").await.unwrap();
            assert_eq!(rows, 2);
            let big: String = (0..300_000).map(|i| format!("{i}\t{i}\n")).collect();
            assert_eq!(conn.load_local(&sql, big).await.unwrap(), 300_000);
            assert_eq!(conn.load_local(&sql, "").await.unwrap(), 0);
            let first = "SELECT COUNT(*) FROM t WHERE b IN ('one', 'two')";
            assert_eq!(number(&mut conn, first).await, 2);
            // They were for one statement.
            let error = conn.query_drop(&sql).await.unwrap_err();
            assert!(error.to_string().contains("/etc/passwd"), "{error}");
            server.watcher().await.run("TRUNCATE test.t").await;
        }
    });
}

#[test]
fn a_statement_that_wants_no_bytes_does_not_keep_them_for_the_next() {
    test(|| async {
        let server = server().await;
        let mut conn = server.connect().await;
        let error = conn.load_local("DO 1", "1\tone\n").await.unwrap_err();
        assert!(
            error.to_string().contains("asked for no local file"),
            "{error}"
        );
        let sql = format!("{LOAD} 'x' INTO TABLE nowhere");
        assert_eq!(code(conn.load_local(&sql, "1\tone\n").await), 1146);
        assert_eq!(number(&mut conn, "SELECT 7").await, 7);
        let sql = format!("{LOAD} 'x' INTO TABLE t");
        conn.query_drop(sql).await.unwrap_err();
        assert!(conn.is_closed());
    });
}

/// A server in between, which answers a certain query with a request for `/etc/passwd`; tells what it got for it.
fn thief(server: &Server) -> (u16, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = mpsc::channel();
    let address = (server.host().to_owned(), server.port());
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(address).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = told.send(rob(client, server));
    });
    (port, heard)
}

/// Passes on what the client says until it asks the certain query, then asks it for the file.
fn rob(mut client: TcpStream, mut server: TcpStream) -> Vec<u8> {
    const REQUEST: &[u8] = b"\x0c\0\0\x01\xfb/etc/passwd";
    let mut buffer = [0; 4096];
    loop {
        let length = client.read(&mut buffer).unwrap_or(0);
        let said = &buffer[..length];
        if said.windows(6).any(|window| window == b"'bait'") {
            client.write_all(REQUEST).unwrap();
            let mut loot = Vec::new();
            // Until the client hangs up.
            let _ = client.read_to_end(&mut loot);
            return loot;
        }
        if length == 0 || server.write_all(said).is_err() {
            return b"the client has left".to_vec();
        }
    }
}

#[test]
fn a_server_that_asks_for_a_file_out_of_the_blue_gets_nothing() {
    test(|| async {
        let server = server().await;
        let file = Scratch::new("own", b"1\tone\n");
        let ways: [fn(ConnectOptions, &Scratch) -> ConnectOptions; 2] = [
            |options, _| options,
            |options, file| options.local_infile_paths([&file.0]),
        ];
        for way in ways {
            let (port, loot) = thief(&server);
            let options = way(server.tcp().port(port), &file);
            let mut conn = connect(options).await.unwrap();
            let answer: Result<Option<String>, _> = conn.query_first("SELECT 'bait'").await;
            let error = answer.unwrap_err();
            assert!(error.to_string().contains("/etc/passwd"), "{error}");
            assert!(conn.is_closed());
            drop(conn);
            assert_eq!(loot.recv().unwrap(), b"");
        }
    });
}
