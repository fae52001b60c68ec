//! Option files.

// The reader of a line is private in pool-mysql. It is compiled from its source.
#[path = "../../pool-mysql/src/options/my_cnf/line.rs"]
mod line;

use self::line::{Line, read_line};

/// Any line is read or refused without being shown, and a value that is written in quotes is read as it was.
pub fn my_cnf(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for line in text.lines() {
        match read_line(line) {
            Ok(Line::Nothing) => {
                let line = line.trim();
                assert!(line.is_empty() || line.starts_with(['#', ';']), "{line:?}");
            }
            Ok(Line::Group(name)) => assert_eq!(name, name.trim()),
            Ok(Line::Option(key, value)) => option(&key, value.as_deref()),
            Ok(Line::Include(path) | Line::IncludeFolder(path)) => {
                let path = path.to_str().expect("a part of the text");
                assert!(line.trim().starts_with("!include"), "{line:?}");
                assert!(line.trim_end().ends_with(path), "{line:?}");
            }
            Err(why) => assert!(!why.is_empty()),
        }
    }
}

fn option(key: &str, value: Option<&str>) {
    assert!(
        !key.is_empty() && key == key.trim() && !key.contains('-'),
        "{key:?}"
    );
    let Some(value) = value else {
        return;
    };
    for quote in ['\'', '"'] {
        let line = format!("a-key = {quote}{}{quote} # a comment", escaped(value));
        match read_line(&line) {
            Ok(Line::Option(key, Some(read))) => {
                assert_eq!((&*key, &*read), ("a_key", value), "{line:?}");
            }
            _ => panic!("no option: {line:?}"),
        }
    }
}

/// The value as a file has it between quotes.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | '\'' | '"' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            c => text.push(c),
        }
    }
    text
}
