//! What a caller can do about each error number of a server.

use pool_core::ErrorClass;

/// What can be done about an error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The class of the error when a connect fails with it.
    pub(crate) class: ErrorClass,
    /// The server has done nothing or has rolled it back, and the same statement may succeed a moment later.
    pub(crate) retryable: bool,
    /// The connection is gone.
    pub(crate) lost: bool,
}

const fn meaning(class: ErrorClass, retryable: bool, lost: bool) -> Meaning {
    Meaning {
        class,
        retryable,
        lost,
    }
}

/// The table of `docs/mysql.md`; a test compares the two. Every other number is [`Transient`](ErrorClass::Transient) for a
/// connect, not retryable, and does not end the connection.
pub(crate) fn meaning_of(code: u16) -> Meaning {
    use ErrorClass::{Auth, Config, Overloaded, ReadOnly, Transient};
    match code {
        // Access denied (to a database, to an account, by its plugin), host blocked or not allowed, password expired,
        // account locked (MySQL, MariaDB).
        1044 | 1045 | 1129 | 1130 | 1698 | 1820 | 1862 | 3118 | 4151 => meaning(Auth, false, false),
        // Unknown database, character set or variable, a value that a variable does not take, a syntax error in the
        // init_command; authentication that this client or that server does not know; TLS required.
        1049 | 1064 | 1115 | 1193 | 1231 | 1251 | 1524 | 2061 | 3159 => {
            meaning(Config, false, false)
        }
        // Too many connections of all, out of memory, threads, of this user, or of what its account is allowed.
        1040 | 1041 | 1135 | 1203 | 1226 => meaning(Overloaded, true, false),
        // The table, the server, the transaction or the storage engine is read only.
        1036 | 1290 | 1792 | 1836 => meaning(ReadOnly, false, false),
        // Lock wait timeout; deadlock; the row or the table has changed since the transaction began; an XA branch was rolled
        // back for one of these reasons; a lock with NOWAIT is taken; group replication has rolled back the transaction.
        1020 | 1205 | 1213 | 1412 | 1613 | 1614 | 3101 | 3572 => meaning(Transient, true, false),
        // A Galera node that has lost its cluster refuses every statement.
        1047 => meaning(Transient, true, false),
        // The server has closed an idle session. It sends this error instead of reading the next command.
        4031 => meaning(Transient, true, true),
        // The server is shutting down or offline; the network has failed; the session was killed (MariaDB, MySQL).
        1053 | 1152 | 1158..=1161 | 1184 | 1927 | 3032 | 3169 => meaning(Transient, false, true),
        // Error numbers of the client library, which proxies also send: server has gone away, connection lost during a query.
        2006 | 2013 | 2055 => meaning(Transient, false, true),
        _ => meaning(Transient, false, false),
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::{Error as DriverError, ServerError};

    use crate::{Error, MySqlErrorExt};

    fn server(code: u16) -> DriverError {
        DriverError::Server(ServerError {
            code,
            message: "what the server says".into(),
            state: "HY000".into(),
        })
    }

    #[test]
    fn each_number_says_what_can_be_done() {
        for (code, retryable, lost) in [
            (1040, true, false),
            (1045, false, false),
            (1049, false, false),
            (1062, false, false),
            (1129, false, false),
            (1203, true, false),
            (1205, true, false),
            (1213, true, false),
            (1226, true, false),
            (1290, false, false),
            (1792, false, false),
            (1836, false, false),
            (1927, false, true),
            (2006, false, true),
            (2013, false, true),
            (3159, false, false),
            (4031, true, true),
        ] {
            let driver = server(code);
            assert_eq!(driver.server_code(), Some(code));
            assert_eq!(driver.is_retryable(), retryable, "{code}");
            assert_eq!(driver.is_connection_lost(), lost, "{code}");
            assert!(!driver.is_outcome_unknown());
            let error = Error::from(driver);
            assert_eq!(error.server_code(), Some(code));
            assert_eq!(error.is_retryable(), retryable, "{code}");
            assert_eq!(error.is_connection_lost(), lost, "{code}");
        }
    }
}
