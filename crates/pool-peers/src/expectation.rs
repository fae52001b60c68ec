//! How pool-core's column is expected to look. The program fails where it looks different, so that the table in
//! docs/reliability.md stays true.

use crate::peer::Kind;
use crate::peers;
use crate::table::{Row, word};

/// The cells of pool-core that are not `pass`, and why.
const NOT_PASSED: [(&str, &str); 1] = [
    // Without `connect_timeout`, a connect that never ends keeps its place and goes on for the next caller.
    ("P03e", "HANG"),
];

/// The cell of a scenario with pool-core.
pub(crate) fn expected(id: &str) -> &'static str {
    let other = NOT_PASSED.iter().find(|(other, _)| *other == id);
    other.map_or("pass", |(_, word)| word)
}

/// A sentence for each cell of pool-core that is not as expected.
pub(crate) fn differences(kinds: &[Kind], rows: &[Row]) -> Vec<String> {
    let is_ours = |kind: &Kind| kind.name == peers::ALL[0].name;
    let Some(ours) = kinds.iter().position(is_ours) else {
        return Vec::new();
    };
    let cells = rows
        .iter()
        .map(|(scenario, cells)| (scenario.id, word(&cells[ours])));
    cells
        .filter(|(id, cell)| *cell != expected(id))
        .map(|(id, cell)| {
            let expected = expected(id);
            format!("{id}: pool-core has `{cell}`, and `{expected}` is expected")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::peer::Offer;
    use crate::runner::Cell;
    use crate::scenarios;
    use crate::world::Fault;

    use super::*;

    #[test]
    fn each_expectation_is_of_a_scenario() {
        for (id, _) in NOT_PASSED {
            assert!(scenarios::all().iter().any(|scenario| scenario.id == id));
        }
    }

    #[test]
    fn a_cell_that_is_not_as_expected_is_named() {
        let row = |id: &str, cell: Cell| {
            let mut all = scenarios::all().into_iter();
            let scenario = all.find(|scenario| scenario.id == id).expect("a scenario");
            (scenario, vec![cell])
        };
        let hang = || Cell::Fault(Fault::Hang("it hangs".into()));
        let ours = &peers::ALL[..1];
        let rows = [row("P01", Cell::Pass), row("P03e", hang())];
        assert!(differences(ours, &rows).is_empty());
        let rows = [
            row("P01", hang()),
            row("P78", Cell::Absent(Offer::Lifetime)),
            row("P03e", Cell::Pass),
        ];
        let expected = [
            "P01: pool-core has `HANG`, and `pass` is expected",
            "P78: pool-core has `-`, and `pass` is expected",
            "P03e: pool-core has `pass`, and `HANG` is expected",
        ];
        assert_eq!(differences(ours, &rows), expected);
        // Another pool's column is not expected to look in any way.
        assert!(differences(&peers::ALL[1..2], &rows).is_empty());
    }
}
