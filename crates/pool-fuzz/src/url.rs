//! URLs.

use pool_mysql::{ConnectOptions, PoolOptions};

/// Two passwords. What is shown must not depend on which of them it was.
const PASSWORDS: [&str; 2] = ["qZ9xSecretqZ9x", "another"];

/// Any text is read or refused with the name of a part, a pool reads what a connection reads, and no form shows the
/// password.
pub fn url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    both(text);
    // The input decides everything but the password.
    let (before, behind) = text.split_once('\n').unwrap_or(("app", text));
    if is_harmless(before) {
        let [one, other] = PASSWORDS.map(|password| {
            let hidden = format!("mysql://{before}:{password}@{behind}");
            both(&hidden)
        });
        assert_eq!(one, other, "user {before:?}, then {behind:?}");
    }
}

/// Such a user cannot move the password to another part of the URL.
fn is_harmless(user: &str) -> bool {
    user.chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '%' | '-' | '_' | '.'))
}

/// What both readers show of a text.
fn both(text: &str) -> Vec<String> {
    let connect = ConnectOptions::from_url(text);
    let pool = PoolOptions::from_url(text);
    let mut shown = Vec::new();
    for error in [connect.as_ref().err(), pool.as_ref().err()]
        .into_iter()
        .flatten()
    {
        assert!(!error.message().is_empty());
        shown.push(format!("{error}, {error:?}"));
    }
    match (&connect, &pool) {
        (Ok(connect), Ok(pool)) => {
            assert_eq!(pool.connect_options(), connect, "{text:?}");
            shown.push(format!("{connect:?}, {pool:?}"));
        }
        (Ok(_), Err(error)) => panic!("a pool refuses {text:?}: {error}"),
        // It may have a setting that only a pool has.
        (Err(_), Ok(pool)) => shown.push(format!("{pool:?}")),
        (Err(_), Err(_)) => {}
    }
    shown
}
