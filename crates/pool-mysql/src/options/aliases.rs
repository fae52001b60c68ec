//! The names that other clients have for the options.

/// Names for the same option: without dashes and underscores and in small letters, as [`plain`] makes them, and ours.
///
/// sqlx, Ruby's mysql2 and the server's own clients say `socket`, Node's mysql2 says `socketPath`. `ssl-ca` is written with
/// a dash, an underscore or neither of them, and Connector/J says `sslMode`.
const SAME: &[(&str, &str)] = &[
    ("socket", "unix_socket"),
    ("socketpath", "unix_socket"),
    ("sslca", "ssl_ca"),
    ("sslcert", "ssl_cert"),
    ("sslkey", "ssl_key"),
    ("sslmode", "ssl_mode"),
    ("unixsocket", "unix_socket"),
];

/// Names whose values are written in another way, or mean something a little different; and what to write instead.
const SIMILAR: &[(&str, &str)] = &[
    // Connector/J, and others.
    ("characterencoding", "charset"),
    ("encoding", "charset"),
    ("usessl", "ssl_mode=required"),
    // mysql_async.
    ("poolmax", "maxsize"),
    ("poolmin", "minsize"),
    ("requiressl", "ssl_mode=required"),
    ("verifyca", "ssl_mode=verify_ca"),
    ("verifyidentity", "ssl_mode=verify_identity"),
    // PyMySQL, and older clients.
    ("database", "db"),
    ("passwd", "password"),
    ("ssldisabled", "ssl_mode=disabled"),
    ("sslverifycert", "ssl_mode=verify_ca"),
    ("sslverifyidentity", "ssl_mode=verify_identity"),
    ("username", "user"),
    // Node's mysql2, sqlx.
    ("connectionlimit", "maxsize"),
    ("maxconnections", "maxsize"),
    ("minconnections", "minsize"),
];

/// Our name for the option that other clients call so.
pub(super) fn same(key: &str) -> Option<&'static str> {
    find(SAME, key)
}

/// What to write instead of the name that another client has for something similar.
pub(super) fn similar(key: &str) -> Option<&'static str> {
    find(SIMILAR, key)
}

fn find(names: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let plain = plain(key);
    let found = names.iter().find(|(name, _)| *name == plain);
    found.map(|(_, ours)| *ours)
}

fn plain(key: &str) -> String {
    key.to_ascii_lowercase().replace(['-', '_'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_another_client_is_found() {
        for spelling in ["ssl-mode", "ssl_mode", "sslmode", "sslMode", "SSL_MODE"] {
            assert_eq!(same(spelling), Some("ssl_mode"));
        }
        assert_eq!(same("socketPath"), Some("unix_socket"));
        assert_eq!(similar("require_ssl"), Some("ssl_mode=required"));
        assert_eq!(same("ssl"), None);
        assert_eq!(similar("charset"), None);
    }

    #[test]
    fn every_name_is_plain_and_stands_there_once() {
        let mut names: Vec<&str> = SAME.iter().chain(SIMILAR).map(|(name, _)| *name).collect();
        assert!(names.iter().all(|name| plain(name) == *name));
        let number = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), number);
    }
}
