//! Which examples there are: the `[[example]]` entries of `examples/Cargo.toml`.

use std::fs;

use crate::failure::Failure;
use crate::root;

/// The names of all examples, in the order of the manifest.
pub(crate) fn names() -> Result<Vec<String>, Failure> {
    let path = root().join("examples/Cargo.toml");
    let text = fs::read_to_string(&path)
        .map_err(Failure::while_doing(format!("read {}", path.display())))?;
    parse(&text).map_err(|complaint| Failure::new(format!("{}: {complaint}", path.display())))
}

/// Reads the names from a manifest. It knows just what this one manifest uses: a header alone on its line, and
/// `name = "…"` alone on a line below it.
fn parse(manifest: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<Option<String>> = Vec::new();
    let mut in_example = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_example = line == "[[example]]";
            if in_example {
                names.push(None);
            } else if line.contains("example") {
                return Err(format!("cannot read the header `{line}`"));
            }
        } else if in_example
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == "name"
        {
            let name = value
                .trim()
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            let name = name.ok_or_else(|| format!("cannot read the line `{line}`"))?;
            names.pop();
            names.push(Some(name.to_owned()));
        }
    }
    if names.is_empty() {
        return Err("it lists no example".to_owned());
    }
    let all: Option<Vec<String>> = names.into_iter().collect();
    all.ok_or_else(|| "an [[example]] has no name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_the_manifest() {
        let manifest = "[package]\nname = \"examples\"\n\n[[example]]\nname = \"quickstart\"\npath = \"quickstart.rs\"\n\n\
                        [[example]]\npath = \"own.rs\"\nname = \"own\"\n\n[dependencies]\nname = \"no example\"\n";
        assert_eq!(
            parse(manifest).expect("a good manifest"),
            ["quickstart", "own"]
        );
    }

    #[test]
    fn a_manifest_without_examples_is_refused() {
        let error =
            parse("[package]\nname = \"examples\"\n").expect_err("nothing to run is not a success");
        assert_eq!(error, "it lists no example");
    }

    #[test]
    fn an_entry_without_a_name_is_refused() {
        let error = parse("[[example]]\npath = \"a.rs\"\n\n[[example]]\nname = \"b\"\n")
            .expect_err("a.rs has no name");
        assert_eq!(error, "an [[example]] has no name");
    }

    #[test]
    fn what_the_reader_does_not_understand_is_refused() {
        for manifest in [
            "[[ example ]]\nname = \"a\"\n",
            "[[example]] # first\n",
            "[[example]]\nname = 'a'\n",
        ] {
            parse(manifest).expect_err(manifest);
        }
    }

    #[test]
    fn the_examples_of_this_workspace_can_be_listed() {
        let names = names().expect("a good manifest");
        assert!(names.iter().any(|name| name == "quickstart"), "{names:?}");
    }
}
