//! The addresses of a host name, tried one after the other.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use mysql_async::{Error, IoError};

use crate::transport::io_runtime::{blocking, within};

/// The addresses of a host, in the order of the system's resolver, which sorts them by RFC 6724.
pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let host = host.to_owned();
    let found = blocking(move || {
        let addresses = (host.as_str(), port).to_socket_addrs()?;
        let mut each = Vec::new();
        for address in addresses {
            if !each.contains(&address) {
                each.push(address);
            }
        }
        Ok(each)
    });
    found.await?
}

/// The addresses of one connect.
pub(super) struct Addresses {
    /// Those that are still of interest: after an answer, the one that it came from.
    left: Vec<SocketAddr>,
    start: Instant,
    limit: Option<Duration>,
}

impl Addresses {
    pub(super) fn new(addresses: Vec<SocketAddr>, limit: Option<Duration>) -> Self {
        Self {
            left: addresses,
            start: Instant::now(),
            limit,
        }
    }

    /// The address that has answered, or the only one.
    pub(super) fn reached(&self) -> Option<IpAddr> {
        match self.left[..] {
            [address] => Some(address.ip()),
            _ => None,
        }
    }

    /// Tries the addresses in turn, until one answers. Each gets an equal share of what is left of the limit, so that one
    /// that does not answer leaves time for the others; the last has the caller's own limit.
    ///
    /// Only an address that cannot be reached makes way for the next one. What a server says is the answer, also if it is
    /// a refusal; another attempt then goes to the same address.
    ///
    /// # Errors
    ///
    /// The server's error; if no address was reached, the error says what happened at each of them.
    pub(super) async fn in_turn<T, F>(
        &mut self,
        attempt: impl Fn(SocketAddr) -> F,
    ) -> mysql_async::Result<T>
    where
        F: Future<Output = mysql_async::Result<T>>,
    {
        let mut unreached = Unreached(Vec::new());
        for (index, address) in self.left.clone().into_iter().enumerate() {
            let share = self.share(index);
            let error = match within(share, attempt(address)).await {
                Some(Err(Error::Io(IoError::Io(error)))) if is_unreached(&error) => error,
                Some(answer) => {
                    self.left = vec![address];
                    return answer;
                }
                None => {
                    let share = share.unwrap_or_default();
                    io::Error::new(ErrorKind::TimedOut, format!("no answer within {share:?}"))
                }
            };
            unreached.0.push((address, error));
        }
        Err(unreached.into_error())
    }

    /// How long the attempt with this index may take; `None` for the last.
    fn share(&self, index: usize) -> Option<Duration> {
        let left = u32::try_from(self.left.len() - index).unwrap_or(u32::MAX);
        let limit = self.limit.filter(|_| left > 1)?;
        Some(limit.saturating_sub(self.start.elapsed()) / left)
    }
}

/// Whether an error of the operating system says that nobody was reached, rather than that a connection was lost.
fn is_unreached(error: &io::Error) -> bool {
    match error.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::TimedOut => true,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => false,
        _ => error.raw_os_error().is_some(),
    }
}

/// What happened at each address.
#[derive(Debug)]
struct Unreached(Vec<(SocketAddr, io::Error)>);

impl Unreached {
    fn into_error(mut self) -> Error {
        if self.0.len() == 1
            && let Some((_, error)) = self.0.pop()
        {
            return error.into();
        }
        // They count as refused only if all are: otherwise something may have been sent.
        let mut kinds = self.0.iter().map(|(_, error)| error.kind());
        let other = kinds.find(|kind| *kind != ErrorKind::ConnectionRefused);
        let kind = match (other, self.0.is_empty()) {
            (Some(kind), _) => kind,
            (None, false) => ErrorKind::ConnectionRefused,
            (None, true) => ErrorKind::NotFound,
        };
        io::Error::new(kind, self).into()
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the host name has no address");
        }
        for (index, (address, error)) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{address}: {error}")?;
        }
        Ok(())
    }
}

impl StdError for Unreached {}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::{pending, ready};

    use mysql_async::ServerError;

    use super::*;
    use crate::error::driver_error::MySqlErrorExt;
    use crate::transport::io_runtime::poll_once;

    fn addresses() -> Vec<SocketAddr> {
        let texts = ["[::1]:3306", "127.0.0.1:3306", "127.0.0.2:3306"];
        texts.map(|text| text.parse().expect("an address")).into()
    }

    fn all() -> Addresses {
        Addresses::new(addresses(), None)
    }

    fn only(number: usize, limit: Option<Duration>) -> Addresses {
        Addresses::new(addresses()[..number].to_vec(), limit)
    }

    fn failed(kind: ErrorKind) -> mysql_async::Result<u16> {
        Err(io::Error::from(kind).into())
    }

    #[test]
    fn the_first_that_is_reached_is_taken() {
        let tried = RefCell::new(Vec::new());
        let attempt = |address: SocketAddr| {
            tried.borrow_mut().push(address);
            ready(match tried.borrow().len() {
                1 => failed(ErrorKind::ConnectionRefused),
                _ => Ok(address.port()),
            })
        };
        let reached = poll_once(all().in_turn(attempt)).expect("no wait");
        assert_eq!(reached.expect("the second is there"), 3306);
        assert_eq!(tried.into_inner(), addresses()[..2]);
    }

    #[test]
    fn an_error_says_what_happened_at_each_address() {
        let attempt = |_| ready(failed(ErrorKind::ConnectionRefused));
        let error = poll_once(all().in_turn(attempt)).expect("no wait");
        let error = error.expect_err("nobody is there");
        assert!(error.is_retryable() && !error.is_connection_lost());
        assert_eq!(
            error.to_string(),
            "Input/output error: Input/output error: [::1]:3306: connection refused; \
             127.0.0.1:3306: connection refused; 127.0.0.2:3306: connection refused"
        );
        let one = poll_once(only(1, None).in_turn(attempt)).expect("no wait");
        let one = one.expect_err("nobody is there").to_string();
        assert!(
            !one.contains("::1"),
            "the caller names the only address: {one}"
        );
        let none = poll_once(only(0, None).in_turn(attempt)).expect("no wait");
        let none = none.expect_err("nobody is there").to_string();
        assert!(none.contains("has no address"), "{none}");
    }

    #[test]
    fn what_a_server_says_is_the_answer() {
        let attempt = |_| {
            ready(Err::<u16, _>(Error::Server(ServerError {
                code: 1045,
                message: "Access denied".into(),
                state: "28000".into(),
            })))
        };
        let error = poll_once(all().in_turn(attempt)).expect("no wait");
        assert_eq!(error.expect_err("refused").server_code(), Some(1045));
        let lost = |_| ready(failed(ErrorKind::ConnectionReset));
        let error = poll_once(all().in_turn(lost)).expect("no wait");
        assert!(!error.expect_err("lost").to_string().contains("127.0.0.1"));
    }

    #[test]
    fn one_that_does_not_answer_leaves_time_for_the_next() {
        let attempt = async |address: SocketAddr| match address.is_ipv6() {
            true => pending().await,
            false => Ok(address.port()),
        };
        let limit = Some(Duration::ZERO);
        let mut two = only(2, limit);
        let reached = poll_once(two.in_turn(attempt));
        assert_eq!(
            reached.expect("no wait").expect("the second is there"),
            3306
        );
    }

    #[test]
    fn another_attempt_goes_to_the_address_that_has_answered() {
        let tried = RefCell::new(Vec::new());
        let attempt = |address: SocketAddr| {
            tried.borrow_mut().push(address);
            ready(match tried.borrow().len() {
                1 => failed(ErrorKind::ConnectionRefused),
                2 => Err(mysql_async::DriverError::NoClientSslFlagFromServer.into()),
                _ => Ok(address.port()),
            })
        };
        let mut all = all();
        let first = poll_once(all.in_turn(&attempt)).expect("no wait");
        assert!(first.is_err());
        assert_eq!(all.reached(), Some(addresses()[1].ip()));
        let second = poll_once(all.in_turn(&attempt)).expect("no wait");
        assert!(second.is_ok());
        let expected = [addresses()[0], addresses()[1], addresses()[1]];
        assert_eq!(tried.into_inner(), expected);
    }

    #[test]
    fn every_error_of_the_system_but_a_loss_makes_way() {
        // EACCES, EAFNOSUPPORT, ENETUNREACH, ECONNREFUSED; ECONNRESET, EPIPE.
        for (code, makes_way) in [
            (13, true),
            (97, true),
            (101, true),
            (111, true),
            (104, false),
            (32, false),
        ] {
            assert_eq!(
                is_unreached(&io::Error::from_raw_os_error(code)),
                makes_way,
                "{code}"
            );
        }
        assert!(!is_unreached(&ErrorKind::UnexpectedEof.into()));
        assert!(!is_unreached(&io::Error::other("a certificate")));
    }
}
