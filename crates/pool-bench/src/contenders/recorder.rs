//! A recorder of the `metrics` facade that does what an exporter for scrapes does between two scrapes: it counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// Makes it the recorder of this process, if none is yet.
pub(super) fn install() {
    // It is installed by the first of several pools.
    let _ = metrics::set_global_recorder(Counting);
}

struct Counting;

impl Recorder for Counting {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(AtomicU64::new(0)))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(AtomicU64::new(0)))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Buckets::default()))
    }
}

/// How many values there were below each power of ten from a microsecond on.
#[derive(Default)]
struct Buckets([AtomicU64; 12]);

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let mut limit = 0.000_001;
        let mut buckets = self.0.iter();
        let last = buckets.next_back();
        let fits = |_: &&AtomicU64| {
            limit *= 10.0;
            value < limit
        };
        if let Some(bucket) = buckets.find(fits).or(last) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
}
