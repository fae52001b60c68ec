//! What the fault proxy does to a connection, seen from both of its ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use pool_chaos::proxy::{Direction, Fault, Proxy};

/// Long enough for anything that is to happen.
const LONG: Duration = Duration::from_secs(20);
/// What does not happen within this time is held back.
const SHORT: Duration = Duration::from_millis(300);

/// A client, the proxy, and the server's end of the connection.
fn connected() -> (TcpStream, Proxy, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = Proxy::to(listener.local_addr().expect("its address")).expect("a proxy");
    let client = TcpStream::connect(proxy.address()).expect("the proxy listens");
    let (server, _) = listener.accept().expect("the proxy connects");
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(LONG)).expect("a socket");
    }
    let start = Instant::now();
    while proxy.links().is_empty() && start.elapsed() < LONG {
        std::thread::yield_now();
    }
    (client, proxy, server)
}

fn read<const N: usize>(mut stream: &TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).expect("bytes in time");
    bytes
}

fn hears_nothing(mut stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(SHORT)).expect("a socket");
    let heard = stream.read(&mut [0; 1]);
    stream.set_read_timeout(Some(LONG)).expect("a socket");
    heard.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

fn hears_the_end(mut stream: &TcpStream) -> bool {
    matches!(stream.read(&mut [0; 1]), Ok(0))
}

#[test]
fn bytes_pass_both_ways_and_are_counted() {
    let (mut client, proxy, mut server) = connected();
    client.write_all(b"ask").expect("sent");
    assert_eq!(&read(&server), b"ask");
    server.write_all(b"answer").expect("sent");
    assert_eq!(&read(&client), b"answer");
    let link = &proxy.links()[0];
    assert_eq!(Direction::BOTH.map(|way| link.passed(way)), [3, 6]);
    let seen = server.peer_addr().expect("an address").port();
    assert_eq!(link.server_side_port(), seen);
}

#[test]
fn a_black_hole_of_one_direction_lets_the_other_pass_and_ends_when_healed() {
    let (mut client, proxy, mut server) = connected();
    proxy.inject(Fault::BlackHole(Direction::ToClient));
    client.write_all(b"ask").expect("sent");
    assert_eq!(&read(&server), b"ask");
    server.write_all(b"answer").expect("sent");
    assert!(hears_nothing(&client));
    proxy.heal();
    assert_eq!(&read(&client), b"answer");
}

#[test]
fn a_delay_makes_a_stream_late() {
    let (mut client, proxy, server) = connected();
    proxy.links()[0].inject(Fault::Delay(Direction::ToServer, SHORT));
    let start = Instant::now();
    client.write_all(b"ask").expect("sent");
    assert_eq!(&read(&server), b"ask");
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn a_stream_that_trickles_gives_one_byte_a_second() {
    let (mut client, proxy, server) = connected();
    proxy.inject(Fault::Trickle(Direction::ToServer));
    client.write_all(b"ab").expect("sent");
    let start = Instant::now();
    assert_eq!(&read(&server), b"a");
    assert!(hears_nothing(&server));
    assert_eq!(&read(&server), b"b");
    assert!(start.elapsed() >= Duration::from_millis(1500));
}

#[test]
fn a_cut_ends_both_streams_after_the_byte() {
    let (mut client, proxy, mut server) = connected();
    let link = proxy.links().remove(0);
    proxy.inject(Fault::CutAfter(Direction::ToClient, 4));
    assert!(!link.was_cut(), "not before the byte");
    server.write_all(b"answer").expect("sent");
    assert_eq!(&read(&client), b"answ");
    assert!(hears_the_end(&client) && hears_the_end(&server));
    assert!(client.write_all(b"x").is_ok() && proxy.links().is_empty());
    assert!(link.was_cut());
}

#[test]
fn a_reply_is_cut_only_when_the_request_was_seen() {
    let (mut client, proxy, mut server) = connected();
    let request = "COMMIT";
    let link = proxy.links().remove(0);
    proxy.inject(Fault::CutReplyTo { request, after: 2 });
    client.write_all(b"SELECT").expect("sent");
    assert_eq!(&read(&server), b"SELECT");
    server.write_all(b"row").expect("sent");
    assert_eq!(&read(&client), b"row");
    client.write_all(b"\x07\0\0\0\x03COMMIT").expect("sent");
    assert_eq!(&read(&server), b"\x07\0\0\0\x03COMMIT");
    server.write_all(b"okay").expect("sent");
    assert_eq!(&read(&client), b"ok");
    assert!(hears_the_end(&client));
    assert!(link.was_cut());
}

#[test]
fn a_half_close_ends_one_stream_only() {
    let (client, proxy, mut server) = connected();
    proxy.inject(Fault::HalfClose(Direction::ToServer));
    assert!(hears_the_end(&server));
    server.write_all(b"answer").expect("sent");
    assert_eq!(&read(&client), b"answer");
}

#[test]
fn the_half_close_of_a_client_is_passed_on() {
    let (client, proxy, mut server) = connected();
    let link = proxy.links().remove(0);
    client.shutdown(Shutdown::Write).expect("a socket");
    assert!(hears_the_end(&server));
    server.write_all(b"answer").expect("sent");
    assert_eq!(&read(&client), b"answer");
    assert!(proxy.links().is_empty());
    assert!(!link.was_cut(), "this was no fault");
}

#[test]
fn a_reset_is_a_reset_for_both_ends() {
    let (mut client, proxy, mut server) = connected();
    proxy.inject(Fault::Reset);
    for stream in [&mut client, &mut server] {
        let error = stream.read(&mut [0; 1]).expect_err("no plain end");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn connections_to_come_have_the_faults_that_last() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = Proxy::to(listener.local_addr().expect("its address")).expect("a proxy");
    proxy.inject(Fault::CutAfter(Direction::ToServer, 1));
    let mut client = TcpStream::connect(proxy.address()).expect("the proxy listens");
    let (server, _) = listener.accept().expect("the proxy connects");
    server.set_read_timeout(Some(LONG)).expect("a socket");
    client.write_all(b"ask").expect("sent");
    assert_eq!(&read(&server), b"a");
    assert!(hears_the_end(&server));
}

#[test]
fn where_no_server_listens_the_client_is_closed() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = gone.local_addr().expect("its address");
    drop(gone);
    let proxy = Proxy::to(address).expect("a proxy");
    let client = TcpStream::connect(proxy.address()).expect("the proxy listens");
    client.set_read_timeout(Some(LONG)).expect("a socket");
    assert!(hears_the_end(&client));
}
