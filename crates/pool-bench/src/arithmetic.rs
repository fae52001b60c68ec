//! Medians, quantiles, fairness and ratios.

/// The middle value, or the mean of the two middle values. `None` without values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[upper]),
        _ => Some(f64::midpoint(sorted[upper - 1], sorted[upper])),
    }
}

/// The smallest and the largest value.
pub(crate) fn range(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    let most = values.iter().copied().max_by(f64::total_cmp)?;
    Some((least, most))
}

/// Half the distance from the smallest to the largest value, in per cent of the median.
pub(crate) fn spread(values: &[f64]) -> Option<f64> {
    let (least, most) = range(values)?;
    let median = median(values)?;
    (median != 0.0).then(|| (most - least) / 2.0 / median * 100.0)
}

/// Jain's fairness index: 1 if all shares are equal, 1/n if one of n has everything.
pub(crate) fn jain(shares: &[u64]) -> f64 {
    let sum: f64 = shares.iter().map(|&share| share as f64).sum();
    let squares: f64 = shares.iter().map(|&share| (share as f64).powi(2)).sum();
    if squares == 0.0 {
        return 0.0;
    }
    sum * sum / (shares.len() as f64 * squares)
}

/// The smallest share divided by the largest. 0 if all shares are 0.
pub(crate) fn least_over_most(shares: &[u64]) -> f64 {
    match (shares.iter().min(), shares.iter().max()) {
        (Some(&least), Some(&most)) if most > 0 => least as f64 / most as f64,
        _ => 0.0,
    }
}

/// The median of the ratios within each round. What disturbs a whole round disturbs both values.
///
/// A round in which one of the two has no value does not count.
pub(crate) fn ratio_within_rounds(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Option<f64> {
    let ratios: Vec<f64> = ours
        .iter()
        .zip(theirs)
        .filter_map(|(&ours, &theirs)| Some((ours?, theirs?)))
        .filter(|&(_, theirs)| theirs != 0.0)
        .map(|(ours, theirs)| ours / theirs)
        .collect();
    median(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
    }

    #[test]
    fn the_spread_is_half_the_range_in_per_cent_of_the_median() {
        assert_eq!(range(&[2.0, 1.0, 4.0]), Some((1.0, 4.0)));
        assert_eq!(spread(&[90.0, 100.0, 110.0]), Some(10.0));
        assert_eq!(spread(&[0.0]), None);
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn jain_is_one_for_equal_shares_and_one_over_n_for_a_hog() {
        assert_eq!(jain(&[7, 7, 7, 7]), 1.0);
        assert_eq!(jain(&[8, 0, 0, 0]), 0.25);
        assert_eq!(jain(&[0, 0]), 0.0);
        assert_eq!(jain(&[]), 0.0);
    }

    #[test]
    fn the_least_over_the_most_is_small_when_one_starves() {
        assert_eq!(least_over_most(&[3, 4, 6]), 0.5);
        assert_eq!(least_over_most(&[0, 9]), 0.0);
        assert_eq!(least_over_most(&[0, 0]), 0.0);
        assert_eq!(least_over_most(&[]), 0.0);
    }

    #[test]
    fn a_round_in_which_all_were_slow_does_not_change_the_ratio() {
        let ours = [10.0, 100.0, 11.0].map(Some);
        let theirs = [20.0, 200.0, 22.0].map(Some);
        assert_eq!(ratio_within_rounds(&ours, &theirs), Some(0.5));
        assert_eq!(ratio_within_rounds(&ours, &[Some(0.0)]), None);
        assert_eq!(ratio_within_rounds(&[], &[]), None);
    }

    #[test]
    fn a_round_that_failed_does_not_shift_the_others() {
        let ours = [Some(10.0), Some(100.0), Some(1000.0)];
        let theirs = [Some(20.0), None, Some(2000.0)];
        assert_eq!(ratio_within_rounds(&ours, &theirs), Some(0.5));
        assert_eq!(ratio_within_rounds(&theirs, &ours), Some(2.0));
    }
}
