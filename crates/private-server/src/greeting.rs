//! Is a server there, and does it speak? An open port says neither.

use std::io::{self, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long one question may take. A server that is up answers within a millisecond.
const PATIENCE: Duration = Duration::from_secs(1);

/// The protocol version, fifth byte of a greeting; an error packet has 0xff there.
const PROTOCOL_10: u8 = 0x0a;

/// True when a greeting arrives on the unix socket.
pub(crate) fn arrives_on_socket(path: &Path) -> bool {
    let ask = || {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        read_and_leave(&stream, || stream.shutdown(Shutdown::Write))
    };
    ask().unwrap_or(false)
}

/// True when a greeting arrives on this port of the loopback address.
pub(crate) fn arrives_on_port(port: u16) -> bool {
    let ask = || {
        let stream =
            TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        read_and_leave(&stream, || stream.shutdown(Shutdown::Write))
    };
    ask().unwrap_or(false)
}

/// Reads the first five bytes, then waits until the server has let go of the connection too, so that a started server
/// shows no session of ours.
fn read_and_leave(
    mut stream: impl Read,
    hang_up: impl FnOnce() -> io::Result<()>,
) -> io::Result<bool> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    hang_up()?;
    io::copy(&mut stream, &mut io::sink())?;
    Ok(head[4] == PROTOCOL_10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread;

    /// Lets one client in, says this, and asks the client's side what it made of it.
    fn answer_to(says: &'static [u8]) -> bool {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            stream.write_all(says).expect("room for a few bytes");
        });
        let answer = arrives_on_port(port);
        server.join().expect("the server thread");
        answer
    }

    #[test]
    fn a_greeting_is_taken_for_one() {
        assert!(answer_to(b"\x4a\0\0\0\x0a5.5.5-10.11"));
    }

    #[test]
    fn an_error_packet_is_no_greeting() {
        assert!(!answer_to(b"\x17\0\0\0\xff\x10\x04Too many connections"));
    }

    #[test]
    fn an_open_port_that_says_nothing_is_no_greeting() {
        assert!(!answer_to(b""));
    }
}
