//! The order in which the faults come.

use fastrand::Rng;

use super::KINDS;

/// The kinds that are wanted, shuffled. Each comes once before one comes again.
#[derive(Debug)]
pub(super) struct Order {
    wanted: Vec<&'static str>,
    left: Vec<&'static str>,
}

impl Order {
    /// The kinds whose name has this in it.
    pub(super) fn new(only: &str) -> Self {
        let wanted = KINDS.into_iter().filter(|kind| kind.contains(only));
        Self {
            wanted: wanted.collect(),
            left: Vec::new(),
        }
    }

    /// The next kind; `None` where none is wanted.
    pub(super) fn next(&mut self, random: &mut Rng) -> Option<&'static str> {
        if self.left.is_empty() {
            self.left.clone_from(&self.wanted);
            random.shuffle(&mut self.left);
        }
        self.left.pop()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::TRIES_ENOUGH;

    #[test]
    fn when_one_kind_has_come_often_enough_each_has_come_once_less_at_least() {
        for seed in 0..100 {
            let (mut order, mut random) = (Order::new(""), Rng::with_seed(seed));
            let mut times: BTreeMap<&str, u64> = BTreeMap::new();
            while !times.values().any(|times| *times == TRIES_ENOUGH) {
                let kind = order.next(&mut random).expect("all are wanted");
                *times.entry(kind).or_default() += 1;
            }
            assert_eq!(times.len(), KINDS.len());
            assert!(times.values().all(|times| *times >= TRIES_ENOUGH - 1));
        }
    }

    #[test]
    fn only_the_wanted_kinds_come() {
        let (mut order, mut random) = (Order::new("queries killed"), Rng::with_seed(1));
        let kinds = [0; 3].map(|_| order.next(&mut random));
        assert_eq!(kinds, [Some("queries killed"); 3]);
    }
}
