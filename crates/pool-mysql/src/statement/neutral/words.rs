//! The words that decide whether a statement is plain.

use super::table::Table;

/// Whether a statement with this word is not plain, wherever the word stands.
///
/// These words belong to: results that go into variables or files; locks; the count of rows that a later statement asks
/// for; sequences, which remember the last value of each session; and RETURNING, after which the answer to an INSERT has
/// no `LAST_INSERT_ID`.
pub(super) fn is_refused(word: &[u8]) -> bool {
    static TABLE: Table = Table::of(REFUSED);
    TABLE.contains(word)
}

/// Whether a bracket after the word makes no call. The word is reserved in every version, so no function can have its name.
pub(super) fn takes_brackets(word: &[u8]) -> bool {
    static TABLE: Table = Table::of(RESERVED);
    TABLE.contains(word)
}

/// Whether the word, with a bracket directly behind it, calls a function of the server that leaves nothing behind.
///
/// With a blank before the bracket, or behind the name of a database, it may be a stored function with the same name.
pub(super) fn is_function(word: &[u8]) -> bool {
    static TABLE: Table = Table::of(FUNCTIONS);
    TABLE.contains(word)
}

/// Whether a refused word has the length and the first letter of this one. Most words are told apart by these alone.
pub(super) fn may_be_refused(word: &[u8]) -> bool {
    /// The lengths of the refused words with a first letter, one bit a length.
    const LENGTHS: [u32; 32] = {
        let mut lengths = [0; 32];
        let mut number = 0;
        while number < REFUSED.len() {
            let word = REFUSED[number].as_bytes();
            lengths[word[0] as usize % 32] |= 1 << (word.len() % 32);
            number += 1;
        }
        lengths
    };
    let lengths = word
        .first()
        .map_or(0, |first| LENGTHS[usize::from(first % 32)]);
    lengths >> (word.len() % 32) & 1 == 1
}

/// Whether the word can stand between INSERT or REPLACE and the name of the table.
pub(super) fn is_modifier(word: &[u8]) -> bool {
    const MODIFIERS: &[&[u8]] = &[b"INTO", b"IGNORE", b"LOW_PRIORITY", b"HIGH_PRIORITY"];
    MODIFIERS
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

pub(crate) const REFUSED: &[&str] = &[
    "CURRVAL",
    "DELAYED",
    "DUMPFILE",
    "FOR",
    "INTO",
    "LASTVAL",
    "LOCK",
    "NEXTVAL",
    "OUTFILE",
    "PREVIOUS",
    "PROCEDURE",
    "RETURNING",
    "SETVAL",
    "SQL_CALC_FOUND_ROWS",
];

pub(crate) const RESERVED: &[&str] = &[
    "ALL", "AND", "AS", "BETWEEN", "BY", "CASE", "DECIMAL", "DISTINCT", "DIV", "ELSE", "EXISTS",
    "FROM", "HAVING", "IN", "INDEX", "JOIN", "KEY", "LIKE", "MATCH", "NOT", "ON", "OR", "REGEXP",
    "RLIKE", "SELECT", "SET", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "XOR",
];

/// The functions that MySQL 5.7, MariaDB 10.3 and all later versions have: a server without one of them could have a stored
/// function with that name. MD5, SHA and SHA1 are missing because MySQL 9.7 has removed them.
pub(crate) const FUNCTIONS: &[&str] = &[
    "ABS",
    "ACOS",
    "ADDDATE",
    "ADDTIME",
    "ASCII",
    "ASIN",
    "ATAN",
    "ATAN2",
    "AVG",
    "BIN",
    "BIT_AND",
    "BIT_COUNT",
    "BIT_LENGTH",
    "BIT_OR",
    "BIT_XOR",
    "CAST",
    "CEIL",
    "CEILING",
    "CHAR",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "COALESCE",
    "CONCAT",
    "CONCAT_WS",
    "CONNECTION_ID",
    "CONV",
    "CONVERT",
    "CONVERT_TZ",
    "COS",
    "COT",
    "COUNT",
    "CRC32",
    "CURDATE",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "CURTIME",
    "DATABASE",
    "DATE",
    "DATEDIFF",
    "DATE_ADD",
    "DATE_FORMAT",
    "DATE_SUB",
    "DAY",
    "DAYNAME",
    "DAYOFMONTH",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "DEGREES",
    "ELT",
    "EXP",
    "EXTRACT",
    "FIELD",
    "FIND_IN_SET",
    "FLOOR",
    "FORMAT",
    "FROM_BASE64",
    "FROM_DAYS",
    "FROM_UNIXTIME",
    "GREATEST",
    "GROUP_CONCAT",
    "HEX",
    "HOUR",
    "IF",
    "IFNULL",
    "INET6_ATON",
    "INET6_NTOA",
    "INET_ATON",
    "INET_NTOA",
    "INSTR",
    "ISNULL",
    "JSON_ARRAY",
    "JSON_ARRAY_APPEND",
    "JSON_ARRAY_INSERT",
    "JSON_CONTAINS",
    "JSON_CONTAINS_PATH",
    "JSON_DEPTH",
    "JSON_EXTRACT",
    "JSON_INSERT",
    "JSON_KEYS",
    "JSON_LENGTH",
    "JSON_OBJECT",
    "JSON_QUOTE",
    "JSON_REMOVE",
    "JSON_REPLACE",
    "JSON_SEARCH",
    "JSON_SET",
    "JSON_TYPE",
    "JSON_UNQUOTE",
    "JSON_VALID",
    "LAST_DAY",
    "LCASE",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LN",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOCATE",
    "LOG",
    "LOG10",
    "LOG2",
    "LOWER",
    "LPAD",
    "LTRIM",
    "MAKEDATE",
    "MAKETIME",
    "MAX",
    "MICROSECOND",
    "MID",
    "MIN",
    "MINUTE",
    "MOD",
    "MONTH",
    "MONTHNAME",
    "NOW",
    "NULLIF",
    "OCT",
    "OCTET_LENGTH",
    "ORD",
    "PERIOD_ADD",
    "PERIOD_DIFF",
    "PI",
    "POSITION",
    "POW",
    "POWER",
    "QUARTER",
    "QUOTE",
    "RADIANS",
    "REPEAT",
    "REPLACE",
    "REVERSE",
    "RIGHT",
    "ROUND",
    "RPAD",
    "RTRIM",
    "SCHEMA",
    "SECOND",
    "SEC_TO_TIME",
    "SESSION_USER",
    "SHA2",
    "SIGN",
    "SIN",
    "SPACE",
    "SQRT",
    "STD",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "STRCMP",
    "STR_TO_DATE",
    "SUBDATE",
    "SUBSTR",
    "SUBSTRING",
    "SUBSTRING_INDEX",
    "SUBTIME",
    "SUM",
    "SYSDATE",
    "SYSTEM_USER",
    "TAN",
    "TIME",
    "TIMEDIFF",
    "TIMESTAMP",
    "TIMESTAMPADD",
    "TIMESTAMPDIFF",
    "TIME_FORMAT",
    "TIME_TO_SEC",
    "TO_BASE64",
    "TO_DAYS",
    "TO_SECONDS",
    "TRIM",
    "TRUNCATE",
    "UCASE",
    "UNHEX",
    "UNIX_TIMESTAMP",
    "UPPER",
    "USER",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
    "UUID",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
    "VERSION",
    "WEEK",
    "WEEKDAY",
    "WEEKOFYEAR",
    "YEAR",
    "YEARWEEK",
];
