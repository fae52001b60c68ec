//! What a private server promises. Every test here starts real servers.

mod wire;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use private_server::{PrivateServer, ServerError, find_server_program};
use wire::Wire;

fn tcp(server: &PrivateServer) -> TcpStream {
    let stream = TcpStream::connect((server.host(), server.port())).expect("the server listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time limit");
    stream
}

fn fifth_byte(mut stream: impl Read) -> u8 {
    let mut head = [0; 5];
    stream.read_exact(&mut head).expect("a greeting");
    head[4]
}

fn folder_of(server: &PrivateServer) -> PathBuf {
    server.socket().parent().expect("a folder").to_path_buf()
}

fn is_refused(port: u16) -> bool {
    matches!(TcpStream::connect(("127.0.0.1", port)), Err(error) if error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn a_server_greets_over_tcp_and_over_its_socket() {
    let server = PrivateServer::start().expect("a server");
    assert_eq!(fifth_byte(tcp(&server)), 0x0a);
    assert_eq!(
        fifth_byte(UnixStream::connect(server.socket()).expect("the socket")),
        0x0a
    );
    assert_eq!(
        server.url(),
        format!("mysql://root@127.0.0.1:{}/mysql", server.port())
    );
    assert!(server.port() < 32_768, "out of the range of source ports");
}

#[test]
fn a_started_server_has_no_session() {
    let server = PrivateServer::builder()
        .option("--max-connections=10")
        .start()
        .expect("a server");
    // MariaDB lets a superuser in beside as many sessions as it allows. One that is left over would leave no place for
    // the last.
    let sessions: Result<Vec<_>, _> = (0..11).map(|_| Wire::login(tcp(&server), "root")).collect();
    assert_eq!(sessions.map(|sessions| sessions.len()).ok(), Some(11));
}

#[test]
fn root_needs_no_password_over_tcp_and_over_the_socket() {
    let server = PrivateServer::start().expect("a server");
    let over_tcp = Wire::login(tcp(&server), "root")
        .and_then(|mut root| root.query("SELECT CURRENT_USER()"))
        .expect("root over TCP");
    assert!(over_tcp.contains("root@127.0.0.1"), "{over_tcp}");
    let over_socket = Wire::login(
        UnixStream::connect(server.socket()).expect("the socket"),
        "root",
    )
    .and_then(|mut root| root.query("SELECT CURRENT_USER()"))
    .expect("root over the socket");
    assert!(over_socket.contains("root@localhost"), "{over_socket}");
}

#[test]
fn the_plain_user_owns_the_test_database_and_nothing_else() {
    let server = PrivateServer::start().expect("a server");
    let mut root = Wire::login(tcp(&server), "root").expect("root");
    let grants = root.query("SHOW GRANTS FOR app@'%'").expect("the grants");
    assert!(
        grants.contains("GRANT ALL PRIVILEGES ON `test`.* TO `app`@`%`"),
        "{grants}"
    );
    assert!(
        grants.contains("GRANT USAGE ON *.* TO `app`@`%`"),
        "{grants}"
    );
    let databases = root
        .query("SHOW DATABASES LIKE 'test'")
        .expect("the databases");
    assert!(databases.contains("test"), "{databases}");
    assert!(
        Wire::login(tcp(&server), "app").is_err(),
        "the plain user has a password"
    );
    assert!(
        Wire::login(tcp(&server), "nobody").is_err(),
        "there is no anonymous user"
    );
}

#[test]
fn options_reach_the_server_and_rule_over_the_defaults() {
    let server = PrivateServer::builder()
        .option("--wait-timeout=1234")
        .option("--key-buffer-size=131072")
        .start()
        .expect("a server");
    let mut root = Wire::login(tcp(&server), "root").expect("root");
    let answer = root
        .query("SELECT @@global.wait_timeout, @@global.key_buffer_size")
        .expect("an answer");
    assert!(
        answer.contains("1234") && answer.contains("131072"),
        "{answer}"
    );
}

#[test]
fn a_refused_option_is_an_error_with_the_end_of_the_log() {
    let error = PrivateServer::builder()
        .option("--no-such-option=1")
        .start()
        .expect_err("no server knows this option");
    assert!(matches!(error, ServerError::Died { .. }), "{error}");
    assert!(error.to_string().contains("no-such-option"), "{error}");
}

#[test]
fn a_stopped_server_is_gone_and_comes_back_on_its_port_with_its_data() {
    let server = PrivateServer::start().expect("a server");
    let port = server.port();
    let mut root = Wire::login(tcp(&server), "root").expect("root");
    root.query("CREATE TABLE test.kept (word TEXT) ENGINE=InnoDB")
        .expect("a table");
    root.query("INSERT INTO test.kept VALUES ('still here')")
        .expect("a row");
    drop(root);
    server.stop();
    assert_eq!(server.pid(), None);
    assert!(is_refused(port));
    let log = std::fs::read_to_string(server.log()).expect("the log");
    assert!(
        log.contains("Shutdown complete"),
        "it ended in good order: {log}"
    );
    server.stop();
    server.start_again().expect("it comes back");
    assert_eq!(server.port(), port);
    assert!(matches!(
        server.start_again(),
        Err(ServerError::AlreadyRunning)
    ));
    let mut root = Wire::login(tcp(&server), "root").expect("root");
    let kept = root.query("SELECT word FROM test.kept").expect("an answer");
    assert!(kept.contains("still here"), "{kept}");
}

#[test]
fn a_restart_keeps_the_port_and_changes_the_process() {
    let server = PrivateServer::start().expect("a server");
    let (port, pid) = (server.port(), server.pid());
    server.restart().expect("it comes back");
    assert_eq!(server.port(), port);
    assert_ne!(server.pid(), pid);
    assert_eq!(fifth_byte(tcp(&server)), 0x0a);
}

#[test]
fn a_killed_server_recovers_on_its_port() {
    let server = PrivateServer::start().expect("a server");
    let mut open = tcp(&server);
    server.kill();
    assert!(is_refused(server.port()));
    let mut rest = Vec::new();
    // The greeting, then the end of the stream or a reset.
    let _ = open.read_to_end(&mut rest);
    server.start_again().expect("it recovers");
    assert_eq!(fifth_byte(tcp(&server)), 0x0a);
}

#[test]
fn a_server_that_ended_by_itself_can_be_started_again() {
    let server = PrivateServer::start().expect("a server");
    let pid = server.pid();
    // The server hangs up instead of answering.
    let _ = Wire::login(tcp(&server), "root")
        .expect("root")
        .query("SHUTDOWN");
    let start = Instant::now();
    while let Err(error) = server.start_again() {
        assert!(matches!(error, ServerError::AlreadyRunning), "{error}");
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "it does not shut down"
        );
        thread::sleep(Duration::from_millis(10));
    }
    assert_ne!(server.pid(), pid);
    assert_eq!(fifth_byte(tcp(&server)), 0x0a);
}

#[test]
fn a_server_that_comes_back_waits_for_its_port() {
    let server = PrivateServer::start().expect("a server");
    server.stop();
    let squatter = TcpListener::bind((server.host(), server.port())).expect("the port is free");
    let leaves = thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        drop(squatter);
    });
    server
        .start_again()
        .expect("it comes back once the port is free");
    leaves.join().expect("the squatter");
    assert_eq!(fifth_byte(tcp(&server)), 0x0a);
}

#[test]
fn a_paused_server_lets_connect_and_answers_only_when_resumed() {
    let server = PrivateServer::start().expect("a server");
    server.pause();
    let mut stream = tcp(&server);
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("a time limit");
    let error = stream.read(&mut [0]).expect_err("nothing is said");
    assert!(matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    server.resume();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time limit");
    assert_eq!(fifth_byte(stream), 0x0a);
}

#[test]
fn a_paused_server_can_be_stopped() {
    let server = PrivateServer::start().expect("a server");
    server.pause();
    let start = Instant::now();
    server.stop();
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "it had not to be killed for not listening"
    );
    assert!(is_refused(server.port()));
}

#[test]
fn servers_started_at_once_do_not_get_in_each_others_way() {
    let starters: Vec<_> = (0..4)
        .map(|_| thread::spawn(|| PrivateServer::start().expect("a server")))
        .collect();
    let servers: Vec<PrivateServer> = starters
        .into_iter()
        .map(|starter| starter.join().expect("a starter"))
        .collect();
    let ports: HashSet<u16> = servers.iter().map(PrivateServer::port).collect();
    assert_eq!(ports.len(), servers.len());
    for server in &servers {
        let mut root = Wire::login(tcp(server), "root").expect("root");
        let answer = root.query("SELECT @@socket").expect("an answer");
        let own = server.socket().to_str().expect("a plain path");
        assert!(
            answer.contains(own),
            "port and socket lead to one server: {answer}"
        );
    }
}

#[test]
fn dropping_a_server_removes_its_process_and_its_folder() {
    let server = PrivateServer::start().expect("a server");
    let (port, folder) = (server.port(), folder_of(&server));
    let proc_entry = PathBuf::from(format!("/proc/{}", server.pid().expect("it runs")));
    assert!(folder.is_dir());
    assert_eq!(proc_entry.is_dir(), Path::new("/proc/self").is_dir());
    drop(server);
    assert!(is_refused(port));
    assert!(!proc_entry.exists(), "waited for, too");
    assert!(!folder.exists());
}

#[test]
fn a_server_whose_owner_is_killed_does_not_linger() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_private-server"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program of this crate");
    let mut lines = BufReader::new(owner.stdout.take().expect("its output")).lines();
    let mut next = || lines.next().expect("a line").expect("readable");
    let (url, socket) = (next(), PathBuf::from(next()));
    let port: u16 = url
        .trim_start_matches("mysql://root@127.0.0.1:")
        .trim_end_matches("/mysql")
        .parse()
        .expect("a port");
    let folder = socket.parent().expect("a folder");
    assert!(folder.is_dir() && !is_refused(port));
    owner.kill().expect("the owner runs");
    owner.wait().expect("the owner has ended");
    let start = Instant::now();
    while folder.exists() || !is_refused(port) {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the server outlives its owner"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = PrivateServer::builder()
        .program("/nowhere/mariadbd")
        .start()
        .expect_err("there is no such program");
    assert!(error.to_string().contains("/nowhere/mariadbd"), "{error}");
}

#[test]
fn a_program_is_found_and_its_absence_says_what_to_install() {
    let program = find_server_program().expect("these tests need a server program");
    assert!(program.is_file());
    let advice = ServerError::NotFound.to_string();
    assert!(
        advice.contains("apt-get install -y --no-install-recommends mariadb-server-core"),
        "{advice}"
    );
}
