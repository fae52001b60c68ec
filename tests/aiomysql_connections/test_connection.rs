//! `test_connection.py`.

use std::fs;

use pool_mysql::mysql_async::Value;
use pool_mysql::mysql_async::prelude::Queryable;
use pool_mysql::{ConnectOptions, connect};

use crate::server::{Server, code, is_closed, is_refused, number, sleep, test, text};

async fn answers(options: ConnectOptions) -> pool_mysql::Connection {
    let mut conn = connect(options).await.expect("the server takes it");
    assert_eq!(number(&mut conn, "SELECT 42").await, 42);
    conn
}

/// An option file for a server: the group `client`, and one with the socket.
fn my_cnf(server: &Server) -> String {
    format!(
        "[client]\nhost = {}\nport = {}\nuser = root\n\n[client_with_unix_socket]\nsocket = {}\nuser = app\npassword = app\ndefault-character-set = utf8mb3\n",
        server.host(),
        server.port(),
        server.socket().display(),
    )
}

/// A file that goes when the test ends.
struct File(std::path::PathBuf);

impl File {
    fn with(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("{name}-{}.cnf", std::process::id()));
        fs::write(&path, text).expect("a place for it");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn test_config_file() {
    test(|| async {
        let server = Server::start();
        let file = File::with("test_config_file", &my_cnf(&server));
        let conn = answers(ConnectOptions::new().read_default_file(&file.0)).await;
        assert_eq!(conn.host(), server.host());
        assert_eq!(conn.port(), server.port());
        assert_eq!(conn.user(), Some("root"));
    });
}

#[test]
fn test_config_file_with_different_group() {
    test(|| async {
        let server = Server::start();
        let file = File::with("test_config_file_with_different_group", &my_cnf(&server));
        let options = ConnectOptions::new()
            .read_default_file(&file.0)
            .read_default_group("client_with_unix_socket");
        let conn = answers(options).await;
        assert_eq!(conn.charset(), "utf8mb3");
        assert_eq!(conn.user(), Some("app"));
        assert_eq!(conn.unix_socket(), Some(server.socket()));
    });
}

#[test]
fn test_connect_using_unix_socket() {
    test(|| async {
        let server = Server::start();
        let conn = answers(server.unix()).await;
        assert_eq!(conn.unix_socket(), Some(server.socket()));
    });
}

#[test]
fn test_utf8mb4() {
    test(|| async {
        let server = Server::start();
        let conn = connect(server.tcp().charset("utf8mb4")).await.unwrap();
        assert_eq!(conn.charset(), "utf8mb4");
    });
}

#[test]
fn test_largedata() {
    test(|| async {
        let server = Server::with(&["--max-allowed-packet=32M"]);
        let mut conn = server.connect().await;
        let large = "a".repeat(16 * 1024 * 1024);
        let mut cur = conn.cursor();
        cur.execute(format!("SELECT '{large}'"), ()).await.unwrap();
        let (back,): (String,) = cur.fetchone().await.unwrap().unwrap();
        assert!(back == large);
    });
}

#[test]
fn test_escape_string() {
    test(|| async {
        let server = Server::start();
        for charset in ["utf8mb4", "latin1", "gbk", "sjis"] {
            let mut conn = connect(server.tcp().charset(charset)).await.unwrap();
            for mode in ["", "NO_BACKSLASH_ESCAPES"] {
                conn.query_drop(format!("SET sql_mode = '{mode}'"))
                    .await
                    .unwrap();
                assert_eq!(conn.escape("foo'bar"), "'foo''bar'");
                assert_eq!(conn.literal("foo'bar"), conn.escape("foo'bar"));
                // What counts is what the server reads, byte by byte.
                for value in [
                    "foo'bar",
                    "\\' OR 1 = 1 -- ",
                    "\\",
                    "\u{4f60}\\'",
                    "\0\n\r\u{1a}\"%_",
                    "\u{fc}\u{1f600}",
                ] {
                    let query = format!("SELECT HEX({})", conn.literal(value));
                    let expected: String =
                        value.bytes().map(|byte| format!("{byte:02X}")).collect();
                    let read = text(&mut conn, &query).await;
                    assert_eq!(read, Some(expected), "{charset}, {mode}, {value:?}");
                }
            }
            let bytes = conn.literal(vec![0_u8, 0xff, b'\'']);
            let read = text(&mut conn, &format!("SELECT HEX({bytes})")).await;
            assert_eq!(read.as_deref(), Some("00FF27"));
            assert_eq!(conn.literal(Value::NULL), "NULL");
        }
    });
}

#[test]
fn test_sql_mode_param() {
    test(|| async {
        let server = Server::start();
        let options = server.tcp().sql_mode("NO_BACKSLASH_ESCAPES");
        let mut conn = connect(options).await.unwrap();
        let mode = text(&mut conn, "SELECT @@sql_mode").await;
        assert_eq!(mode.as_deref(), Some("NO_BACKSLASH_ESCAPES"));
        let escaped = conn.escape(r"foo\'bar");
        let read = text(&mut conn, &format!("SELECT {escaped}")).await;
        assert_eq!(read.as_deref(), Some(r"foo\'bar"));
    });
}

#[test]
fn test_init_param() {
    test(|| async {
        let server = Server::start();
        let options = server
            .tcp()
            .init_command("SET sql_mode='NO_BACKSLASH_ESCAPES';");
        let mut conn = connect(options).await.unwrap();
        let mode = text(&mut conn, "SELECT @@sql_mode").await;
        assert_eq!(mode.as_deref(), Some("NO_BACKSLASH_ESCAPES"));
    });
}

#[test]
fn test_autocommit() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp().autocommit(false)).await.unwrap();
        assert!(!conn.get_autocommit());
        conn.cursor().execute("SET AUTOCOMMIT=1", ()).await.unwrap();
        assert!(conn.get_autocommit());
        conn.autocommit(false).await.unwrap();
        assert!(!conn.get_autocommit());
        assert_eq!(number(&mut conn, "SELECT @@AUTOCOMMIT").await, 0);
    });
}

#[test]
fn test_select_db() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let database = "SELECT database()";
        assert_eq!(text(&mut conn, database).await.as_deref(), Some("test"));
        conn.select_db("mysql").await.unwrap();
        assert_eq!(text(&mut conn, database).await.as_deref(), Some("mysql"));
        assert_eq!(code(conn.select_db("no`where").await), 1049);
    });
}

#[test]
fn test_connection_gone_away() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.query_drop("SET wait_timeout=1").await.unwrap();
        let id = conn.connection_id();
        let mut watcher = server.watcher().await;
        while watcher
            .sessions()
            .await
            .iter()
            .any(|(other, _)| *other == id)
        {
            sleep(std::time::Duration::from_millis(20)).await;
        }
        let error = conn.cursor().execute("SELECT 1+1", ()).await.unwrap_err();
        assert!(error.is_connection_lost(), "{error:?}");
        assert!(is_closed(&conn.cursor().execute("SELECT 1+1", ()).await));
    });
}

#[test]
fn test_connection_info_methods() {
    test(|| async {
        let server = Server::start();
        let mut conn = connect(server.tcp().charset("latin1")).await.unwrap();
        let id = number(&mut conn, "SELECT CONNECTION_ID()").await;
        assert_eq!(i64::try_from(conn.thread_id()), Ok(id));
        assert_eq!(conn.charset(), "latin1");
        assert_eq!(conn.port(), server.port());
        let version = text(&mut conn, "SELECT VERSION()").await;
        assert_eq!(version.as_deref(), Some(conn.server_info()));
    });
}

#[test]
fn test_connection_ping() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        conn.ping().await.unwrap();
        assert!(!conn.is_closed());
        conn.close();
        // aiomysql's connects again.
        assert!(is_refused(&conn.ping().await));
        assert!(conn.is_closed());
    });
}

#[test]
fn test_connection_properties() {
    test(|| async {
        let server = Server::start();
        let conn = server.connect().await;
        assert_eq!(conn.host(), server.host());
        assert_eq!(conn.port(), server.port());
        assert_eq!(conn.user(), Some(server.user()));
        assert_eq!(conn.db(), Some("test"));
        assert!(!conn.echo());
    });
}

#[test]
fn test_connection_double_ensure_closed() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        assert!(!conn.is_closed());
        for _ in 0..2 {
            conn.ensure_closed().await.unwrap();
            assert!(conn.is_closed());
        }
    });
}

#[test]
fn test_previous_cursor_not_closed() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        let mut cur = conn.cursor();
        cur.execute("SELECT 1; SELECT 2", ()).await.unwrap();
        let mut cur = conn.cursor();
        cur.execute("SELECT 3;", ()).await.unwrap();
        assert_eq!(cur.fetchone().await.unwrap(), Some((3,)));
    });
}

#[test]
fn test_commit_during_multi_result() {
    test(|| async {
        let server = Server::start();
        let mut conn = server.connect().await;
        drop(conn.query_iter("SELECT 1; SELECT 2;").await.unwrap());
        conn.commit().await.unwrap();
        assert_eq!(number(&mut conn, "SELECT 3;").await, 3);
    });
}
