//! The readers of SQL text, which are private in pool-mysql, compiled from their sources.

// Each reader has functions that only pool-mysql calls, and hands some on that only its tests read.
#![allow(dead_code, unused_imports)]

#[path = "../../pool-mysql/src/statement/by_tokens.rs"]
pub(crate) mod by_tokens;
#[path = "../../pool-mysql/src/statement/database.rs"]
pub(crate) mod database;
#[cfg(test)]
#[path = "../../pool-mysql/src/statement/dice.rs"]
pub(crate) mod dice;
#[path = "../../pool-mysql/src/statement/neutral/mod.rs"]
pub(crate) mod neutral;
#[path = "../../pool-mysql/src/statement/opening.rs"]
pub(crate) mod opening;
#[path = "../../pool-mysql/src/statement/scanner.rs"]
pub(crate) mod scanner;
#[path = "../../pool-mysql/src/statement/text.rs"]
pub(crate) mod text;

use self::scanner::Dialect;

/// The four ways in which a server can read quotes and backslashes.
pub(crate) const DIALECTS: [Dialect; 4] = [
    dialect(true, false),
    dialect(true, true),
    dialect(false, false),
    dialect(false, true),
];

const fn dialect(backslash_escapes: bool, ansi_quotes: bool) -> Dialect {
    Dialect {
        backslash_escapes,
        ansi_quotes,
    }
}
