//! A server that wants the password as it is, written by hand: only where that was allowed it gets it.

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread;

use pool_core::{ErrorClass, Manager};
use pool_mysql::mysql_async::{DriverError, Error as DriverFailure};
use pool_mysql::{ConnectOptions, Error, MySqlManager, connect};

use crate::server::test;

const SECRET: &str = "s3cret";

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a small packet");
    [&[length, 0, 0, number], payload].concat()
}

fn greeting() -> Vec<u8> {
    let mut payload = b"\x0a10.11.0-MariaDB\0\x01\0\0\0AAAAAAAA\0".to_vec();
    // Capabilities (all but TLS and compression in the lower half), utf8mb4, autocommit, plugins and the like.
    payload.extend_from_slice(b"\xdf\xf7\x2d\x02\0\x08\0\x15");
    payload.extend_from_slice(&[0; 10]);
    payload.extend_from_slice(b"BBBBBBBBBBBB\0mysql_native_password\0");
    packet(0, &payload)
}

/// One packet of the client's, or nothing where it has hung up.
fn heard(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).ok()?;
    let length = usize::from(head[0]) | usize::from(head[1]) << 8;
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).ok()?;
    Some(payload)
}

/// Asks for the plain password, refuses whatever comes, and tells what it was.
fn ask(mut stream: impl Read + Write) -> Option<Vec<u8>> {
    stream.write_all(&greeting()).ok()?;
    heard(&mut stream)?;
    stream
        .write_all(&packet(2, b"\xfemysql_clear_password\0"))
        .ok()?;
    let password = heard(&mut stream);
    let _ = stream.write_all(&packet(4, b"\xff\x15\x04#28000no"));
    password
}

/// Such a server on TCP; tells what it got.
fn on_tcp() -> (ConnectOptions, mpsc::Receiver<Option<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = mpsc::channel();
    thread::spawn(move || told.send(ask(listener.accept().unwrap().0)));
    let options = ConnectOptions::new().host("127.0.0.1").port(port);
    (options.user("app").password(SECRET), heard)
}

#[test]
fn over_plain_tcp_the_password_is_kept() {
    test(|| async {
        let (options, got) = on_tcp();
        let error = connect(options.clone()).await.unwrap_err();
        let refused = DriverError::CleartextPluginDisabled;
        assert!(matches!(error, Error::Driver(_)), "{error:?}");
        let source = error.source().expect("the driver's error");
        assert!(
            matches!(source.downcast_ref(), Some(DriverFailure::Driver(error)) if error.to_string() == refused.to_string()),
            "{error:?}"
        );
        assert_eq!(
            MySqlManager::new(options).classify(&error),
            ErrorClass::Config
        );
        assert_eq!(got.recv().unwrap(), None);
    });
}

#[test]
fn over_plain_tcp_it_is_sent_where_that_is_forced() {
    test(|| async {
        let (options, got) = on_tcp();
        let error = connect(options.enable_cleartext_plugin(true))
            .await
            .unwrap_err();
        assert_eq!(error.server_code(), Some(1045));
        assert_eq!(got.recv().unwrap().as_deref(), Some(&b"s3cret\0"[..]));
    });
}

#[test]
fn over_a_unix_socket_it_is_sent() {
    test(|| async {
        let path = std::env::temp_dir().join(format!("pool-mysql-clear-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let (told, got) = mpsc::channel();
        thread::spawn(move || told.send(ask(listener.accept().unwrap().0)));
        let options = ConnectOptions::new()
            .unix_socket(&path)
            .user("app")
            .password(SECRET);
        let named = options.auth_plugin("mysql_clear_password");
        let error = connect(named).await.unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(error.server_code(), Some(1045));
        assert_eq!(got.recv().unwrap().as_deref(), Some(&b"s3cret\0"[..]));
    });
}
