//! The contenders, a file each.

mod array_queue;
mod asyncband;
mod bb8;
mod deadpool;
mod mobc;
mod mutex_vec;
mod null_database;
mod pool_core;
mod r2d2;
mod sqlx;

use crate::contender::{Contender, Visitor};
use crate::fake::SMALL;

/// The contender with which the others are compared.
pub(crate) const OURS: &str = pool_core::PoolCore::<SMALL, { pool_core::REUSE }>::NAME;

/// Visits all contenders with connections of this padding. Ours are first.
pub(crate) fn visit_all<const PAD: usize, V: Visitor>(visitor: &V) -> Vec<V::Output> {
    vec![
        visitor.visit::<pool_core::PoolCore<PAD, { pool_core::REUSE }>>(),
        visitor.visit::<pool_core::PoolCore<PAD, { pool_core::RECYCLE }>>(),
        visitor.visit::<asyncband::Asyncband<PAD>>(),
        visitor.visit::<deadpool::Deadpool<PAD>>(),
        visitor.visit::<bb8::Bb8<PAD, false>>(),
        visitor.visit::<mobc::Mobc<PAD, false>>(),
        visitor.visit::<sqlx::Sqlx<PAD, false>>(),
        visitor.visit::<r2d2::R2d2<PAD>>(),
        visitor.visit::<array_queue::Queue<PAD>>(),
        visitor.visit::<mutex_vec::Stack<PAD>>(),
    ]
}

/// Visits the contenders that check a connection only on demand, configured to check in each acquire.
pub(crate) fn visit_checking<const PAD: usize, V: Visitor>(visitor: &V) -> Vec<V::Output> {
    vec![
        visitor.visit::<pool_core::PoolCore<PAD, { pool_core::CHECK }>>(),
        visitor.visit::<bb8::Bb8<PAD, true>>(),
        visitor.visit::<mobc::Mobc<PAD, true>>(),
        visitor.visit::<sqlx::Sqlx<PAD, true>>(),
    ]
}

/// Names and settings of all contenders.
pub(crate) fn settings() -> Vec<(&'static str, &'static str)> {
    struct Settings;
    impl Visitor for Settings {
        type Output = (&'static str, &'static str);
        fn visit<C: Contender>(&self) -> Self::Output {
            (C::NAME, C::SETTINGS)
        }
    }
    let mut settings = visit_all::<SMALL, _>(&Settings);
    settings.extend(visit_checking::<SMALL, _>(&Settings));
    settings
}
