//! What the page is told: each event of the pool that a person would want to read, and the counts four times a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pool_mysql::Pool;
use pool_mysql::pool_core::{Event, Histogram, Observer};
use serde_json::{Value, json};
use tokio::sync::broadcast::{Receiver, Sender, channel};

/// The name of a server-sent event, and its JSON.
type Message = (&'static str, String);

/// Passes on to every open page what happens.
#[derive(Clone)]
pub(crate) struct Watch {
    pages: Sender<Message>,
    /// What happens is printed too.
    prints: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            pages: channel(1024).0,
            prints: Arc::default(),
        }
    }

    /// Prints from now on what happens, too.
    pub(crate) fn print(&self) {
        self.prints.store(true, Ordering::Relaxed);
    }

    pub(crate) fn subscribe(&self) -> Receiver<Message> {
        self.pages.subscribe()
    }

    /// The observer for the pool.
    pub(crate) fn observer(&self) -> impl Observer + use<> {
        let watch = self.clone();
        move |event: &Event<'_>| {
            if let Some(level) = level_of(event) {
                watch.tell(level, &event.to_string());
            }
        }
    }

    /// Shows a line among the events.
    pub(crate) fn tell(&self, level: &str, text: &str) {
        if self.prints.load(Ordering::Relaxed) {
            println!("{level:5} {text}");
        }
        self.send("told", &json!({ "level": level, "text": text }));
    }

    /// Sends the counts until the pool is closed.
    pub(crate) async fn tick(self, pool: Pool) {
        while !pool.is_closed() {
            self.send("tick", &snapshot(&pool));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    fn send(&self, kind: &'static str, value: &Value) {
        // It fails if no page is open.
        let _ = self.pages.send((kind, value.to_string()));
    }
}

/// How loud an event is; `None` for what happens hundreds of times a second.
fn level_of(event: &Event<'_>) -> Option<&'static str> {
    match event {
        Event::Acquired { .. }
        | Event::Released { .. }
        | Event::Waiting { .. }
        | Event::Checked { .. }
        | Event::Recycled { .. }
        | Event::ConnectStarted { .. } => None,
        Event::TimedOut { .. } | Event::ConnectFailed { .. } | Event::AcquireFailed { .. } => {
            Some("error")
        }
        Event::SlowAcquire { .. }
        | Event::LeakSuspected { .. }
        | Event::CheckFailed { .. }
        | Event::RecycleFailed { .. }
        | Event::BreakerOpened { .. }
        | Event::Rejected { .. }
        | Event::Lagged { .. } => Some("warn"),
        _ => Some("info"),
    }
}

/// The counts of the pool, its waits and its borrowers at one moment.
fn snapshot(pool: &Pool) -> Value {
    let stats = pool.stats();
    let status = stats.status();
    let borrowed = pool.borrowed();
    let borrowed: Vec<Value> = borrowed
        .iter()
        .map(|borrowed| {
            let place = borrowed.place();
            json!({
                "id": borrowed.id(),
                "millis": millis(borrowed.age()),
                "place": format!("{}:{}", place.file(), place.line()),
                "label": borrowed.label(),
            })
        })
        .collect();
    let closes: serde_json::Map<String, Value> = stats
        .closes_by_reason()
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| (reason.to_owned(), count.into()))
        .collect();
    json!({
        "readiness": pool.readiness().to_string(),
        "serving": pool.readiness().is_serving(),
        "free": status.freesize(),
        "held": status.held(),
        "connecting": status.connecting(),
        "cleaning": status.used() - status.held(),
        "waiting": status.waiting(),
        "max": status.maxsize(),
        "acquires": stats.acquires(),
        "timeouts": stats.timeouts(),
        "failures": stats.failures(),
        "refused": stats.rejected() + stats.shed(),
        "connects": stats.connects(),
        "connect_failures": stats.connect_failures(),
        "breaker_opens": stats.breaker_opens(),
        "closes": closes,
        "wait": histogram(stats.wait_time()),
        "borrowed": borrowed,
    })
}

fn histogram(times: &Histogram) -> Value {
    let quantile = |part| times.quantile(part).map(millis);
    let buckets: Vec<(f64, u64)> = times
        .buckets()
        .map(|(bound, count)| (millis(bound), count))
        .collect();
    json!({
        "count": times.count(),
        "median": quantile(0.5),
        "p99": quantile(0.99),
        "max": millis(times.max()),
        "buckets": buckets,
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
