//! Deliberate faults: a suite that does not find them proves nothing.

mod fault;
mod layer;
mod scratch;

use self::fault::Fault;
pub(crate) use self::layer::Layer;
pub(crate) use self::scratch::Scratch;
use crate::failure::Failure;
use crate::root;

/// How many layers look for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layers {
    /// As many as it takes to find it.
    UntilFound,
    /// All, to see which of them find it. One is enough.
    All,
    /// All in which it can show, as its file says. Each of them must find it.
    Each,
}

/// Puts each of the first `most` faults of a folder into a copy of the source, and runs the layers over it. Returns how many
/// there were.
///
/// # Errors
///
/// A layer fails without any fault, a layer fails without a finding, or a fault is not found.
pub(crate) fn hunt(
    scratch: &Scratch,
    faults: &str,
    most: usize,
    layers: &[Layer],
    how_many: Layers,
) -> Result<usize, Failure> {
    let mut faults = fault::read_all(&root().join("crates").join(faults))?;
    faults.truncate(most);
    let survivors = match how_many {
        Layers::UntilFound => in_turn(scratch, &faults, layers)?,
        Layers::All | Layers::Each => in_all(scratch, &faults, layers, how_many)?,
    };
    match survivors.is_empty() {
        true => Ok(faults.len()),
        false => Err(Failure::new(format!(
            "{} {}",
            match how_many {
                Layers::Each => "a layer does not find",
                Layers::UntilFound | Layers::All => "nothing finds",
            },
            survivors.join(", ")
        ))),
    }
}

/// Each layer looks for what those before it have not found, so a layer that is not needed is not built. Returns the names
/// of the faults that none finds.
fn in_turn<'a>(
    scratch: &Scratch,
    faults: &'a [Fault],
    layers: &[Layer],
) -> Result<Vec<&'a str>, Failure> {
    let mut left: Vec<&Fault> = faults.iter().collect();
    // The model checkers are built for all layers only.
    for layer in layers.iter().filter(|layer| layer.cfg.is_none()) {
        if left.is_empty() {
            break;
        }
        must_pass_without_faults(scratch, layer)?;
        let mut unfound = Vec::new();
        for fault in left {
            let looks = look_for(scratch, fault, std::slice::from_ref(layer))?;
            if looks.fault_survives(Layers::UntilFound) {
                unfound.push(fault);
            } else {
                say(fault, &looks);
            }
        }
        left = unfound;
    }
    Ok(left.iter().map(|fault| fault.name.as_str()).collect())
}

/// All layers look for each fault. Returns the names of the faults that survive.
fn in_all<'a>(
    scratch: &Scratch,
    faults: &'a [Fault],
    layers: &[Layer],
    how_many: Layers,
) -> Result<Vec<&'a str>, Failure> {
    for layer in layers {
        must_pass_without_faults(scratch, layer)?;
    }
    let mut survivors = Vec::new();
    for fault in faults {
        let looks = look_for(scratch, fault, layers)?;
        say(fault, &looks);
        if looks.fault_survives(how_many) {
            survivors.push(fault.name.as_str());
        }
    }
    Ok(survivors)
}

fn say(fault: &Fault, looks: &Looks) {
    println!("{:24} {:44} {}", fault.name, looks.found_by(), fault.what);
}

fn must_pass_without_faults(scratch: &Scratch, layer: &Layer) -> Result<(), Failure> {
    match layer.look(scratch)? {
        None => Ok(()),
        Some(_) => Err(Failure::new(format!(
            "the {} fails without any mutant; see {}",
            layer.name,
            scratch.folder().display()
        ))),
    }
}

/// The layers that have looked for one fault, and how each has found it.
#[derive(Debug, Default)]
struct Looks(Vec<(&'static str, Option<&'static str>)>);

impl Looks {
    fn found_by(&self) -> String {
        let found = self
            .0
            .iter()
            .filter_map(|(layer, how)| Some((layer, (*how)?)));
        let found: Vec<String> = found
            .map(|(layer, how)| format!("{layer} ({how})"))
            .collect();
        found.join(", ")
    }

    fn fault_survives(&self, how_many: Layers) -> bool {
        let has_found = |(_, how): &(_, Option<_>)| how.is_some();
        match how_many {
            Layers::UntilFound | Layers::All => !self.0.iter().any(has_found),
            Layers::Each => self.0.is_empty() || !self.0.iter().all(has_found),
        }
    }
}

fn look_for(scratch: &Scratch, fault: &Fault, layers: &[Layer]) -> Result<Looks, Failure> {
    let applied = fault.apply(&scratch.crates())?;
    let mut looks = Looks::default();
    for layer in layers.iter().filter(|layer| fault.can_show_in(layer.name)) {
        looks.0.push((layer.name, layer.look(scratch)?));
    }
    drop(applied);
    Ok(looks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_where_one_of_the_layers_that_must_find_it_does_not() {
        let by_both = Looks(vec![("a", Some("failure")), ("b", Some("hang"))]);
        let by_one = Looks(vec![("a", Some("failure")), ("b", None)]);
        let by_none = Looks(vec![("a", None), ("b", None)]);
        let survives =
            |how_many| [&by_both, &by_one, &by_none].map(|it| it.fault_survives(how_many));
        assert_eq!(survives(Layers::Each), [false, true, true]);
        assert_eq!(survives(Layers::All), [false, false, true]);
        assert_eq!(survives(Layers::UntilFound), [false, false, true]);
        assert!(Looks::default().fault_survives(Layers::Each));
        assert_eq!(by_both.found_by(), "a (failure), b (hang)");
        assert_eq!(by_one.found_by(), "a (failure)");
    }
}
