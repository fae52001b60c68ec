//! One line of an option file, by MySQL's rules.

use std::path::PathBuf;

/// The meaning of a line. It may hold a password, so it has no `Debug`.
pub(super) enum Line {
    /// Nothing, or a comment.
    Nothing,
    /// `[name]`
    Group(String),
    /// `name`, or `name = value`; a dash in the name has become an underscore.
    Option(String, Option<String>),
    /// `!include path`
    Include(PathBuf),
    /// `!includedir path`
    IncludeFolder(PathBuf),
}

/// Reads a line. The error never shows the line.
pub(super) fn read_line(line: &str) -> Result<Line, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(Line::Nothing);
    }
    if let Some(rest) = line.strip_prefix('!') {
        return include(rest);
    }
    if let Some(rest) = line.strip_prefix('[') {
        let (name, _) = rest
            .split_once(']')
            .ok_or("a group's name must end in a ]")?;
        return Ok(Line::Group(name.trim().to_owned()));
    }
    let line = without_comment(line);
    let (key, value) = match line.split_once('=') {
        Some((key, value)) => (key, Some(unescaped(unquoted(value.trim())))),
        None => (line, None),
    };
    let key = key.trim().replace('-', "_");
    match key.is_empty() {
        true => Err("a value stands there without a name"),
        false => Ok(Line::Option(key, value)),
    }
}

fn include(rest: &str) -> Result<Line, &'static str> {
    let (word, path) = rest
        .split_once(char::is_whitespace)
        .ok_or("what follows the ! must be include or includedir, and a path")?;
    let path = PathBuf::from(path.trim());
    match word {
        "include" => Ok(Line::Include(path)),
        "includedir" => Ok(Line::IncludeFolder(path)),
        _ => Err("what follows the ! must be include or includedir"),
    }
}

/// Removes a comment: a `#` outside quotes, and what follows it.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut escaped = false;
    for (place, c) in line.char_indices() {
        if matches!(c, '\'' | '"') && !escaped {
            match quote {
                None => quote = Some(c),
                Some(open) if open == c => quote = None,
                Some(_) => {}
            }
        }
        if c == '#' && quote.is_none() {
            return line[..place].trim_end();
        }
        escaped = quote.is_some() && c == '\\' && !escaped;
    }
    line
}

/// Removes quotes around the whole value.
fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

/// Replaces `\n`, `\t`, `\r`, `\b`, `\s` (a space), `\"`, `\'` and `\\`. Any other backslash stays.
fn unescaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('b') => plain.push('\u{8}'),
            Some('s') => plain.push(' '),
            Some(c @ ('"' | '\'' | '\\')) => plain.push(c),
            Some(c) => plain.extend(['\\', c]),
            None => plain.push('\\'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(line: &str) -> (String, Option<String>) {
        match read_line(line) {
            Ok(Line::Option(key, value)) => (key, value),
            _ => panic!("no option: {line}"),
        }
    }

    fn value(line: &str) -> String {
        option(line).1.expect(line)
    }

    #[test]
    fn a_key_may_stand_alone() {
        assert_eq!(option("skip-ssl"), ("skip_ssl".into(), None));
        assert_eq!(option("ssl # now"), ("ssl".into(), None));
        assert_eq!(
            option("password="),
            ("password".into(), Some(String::new()))
        );
    }

    #[test]
    fn spaces_around_are_dropped_and_inside_are_kept() {
        assert_eq!(
            option("  ssl-ca =  /a b/c  "),
            ("ssl_ca".into(), Some("/a b/c".into()))
        );
        assert_eq!(value("password=a=b"), "a=b");
    }

    #[test]
    fn comments_end_a_line_outside_quotes() {
        assert!(matches!(read_line("# a"), Ok(Line::Nothing)));
        assert!(matches!(read_line(" ; a"), Ok(Line::Nothing)));
        assert!(matches!(read_line("  "), Ok(Line::Nothing)));
        assert_eq!(value("user=app # who"), "app");
        assert_eq!(value("password='a#b'"), "a#b");
        assert_eq!(value("password=\"a#'b\" # c"), "a#'b");
        assert_eq!(value("password=\"a\\\"#b\""), "a\"#b");
        assert_eq!(value("user=a;b"), "a;b");
    }

    #[test]
    fn quotes_and_escapes_are_mysqls() {
        assert_eq!(value("password='  a  '"), "  a  ");
        assert_eq!(value("password=\\sa\\tb\\\\c\\d"), " a\tb\\c\\d");
        assert_eq!(value("password=a\\"), "a\\");
        assert_eq!(value("password='"), "'");
        assert_eq!(value("password='a\""), "'a\"");
        assert_eq!(value("password=ü'ü"), "ü'ü");
    }

    #[test]
    fn groups_and_includes_are_recognised() {
        assert!(matches!(read_line("[client]"), Ok(Line::Group(name)) if name == "client"));
        assert!(matches!(read_line(" [ my app ] # x"), Ok(Line::Group(name)) if name == "my app"));
        let include = read_line("!include /etc/a b.cnf");
        assert!(matches!(include, Ok(Line::Include(path)) if path.as_os_str() == "/etc/a b.cnf"));
        let folder = read_line("!includedir\t/etc/conf.d/");
        assert!(
            matches!(folder, Ok(Line::IncludeFolder(path)) if path.as_os_str() == "/etc/conf.d/")
        );
    }

    #[test]
    fn lines_without_meaning_are_refused() {
        for line in ["[client", "=x", "!include", "!load x", "!"] {
            assert!(read_line(line).is_err(), "{line}");
        }
    }
}
