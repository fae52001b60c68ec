//! pool-core, in three ways: with connections that come back clean, with a recycle of each return, and with a check in each acquire.
//! And with what an operator can turn on.

use std::convert::Infallible;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use pool_core::{
    CheckPolicy, Event, Manager, MetricsObserver, OpenTelemetryObserver, Pool, PooledConnection,
    Verdict,
};

use super::recorder;
use crate::contender::Contender;
use crate::fake::{Connection, Server};

pub(crate) const REUSE: u8 = 0;
pub(crate) const RECYCLE: u8 = 1;
pub(crate) const CHECK: u8 = 2;
pub(crate) const LEAKS: u8 = 3;
pub(crate) const OBSERVER: u8 = 4;
pub(crate) const METRICS: u8 = 5;
pub(crate) const OPEN_TELEMETRY: u8 = 6;

/// It lives as long as the pools that report to it.
static PROVIDER: OnceLock<SdkMeterProvider> = OnceLock::new();

/// It exports once a minute.
fn provider() -> SdkMeterProvider {
    let reader = PeriodicReader::builder(InMemoryMetricExporter::default()).build();
    SdkMeterProvider::builder().with_reader(reader).build()
}

pub(crate) struct Backend<const PAD: usize, const WAY: u8>(Server);

impl<const PAD: usize, const WAY: u8> Manager for Backend<PAD, WAY> {
    type Connection = Connection<PAD>;
    type Error = Infallible;

    async fn connect(&self) -> Result<Connection<PAD>, Infallible> {
        Ok(self.0.connect().await)
    }
    async fn check(&self, conn: &mut Connection<PAD>) -> Result<(), Infallible> {
        conn.check().await;
        Ok(())
    }
    async fn recycle(&self, conn: &mut Connection<PAD>) -> Result<(), Infallible> {
        conn.check().await;
        Ok(())
    }
    fn on_release(&self, _: &mut Connection<PAD>) -> Verdict {
        match WAY {
            RECYCLE => Verdict::Recycle,
            _ => Verdict::Reuse,
        }
    }
}

pub(crate) struct PoolCore<const PAD: usize, const WAY: u8> {
    pool: Pool<Backend<PAD, WAY>>,
}

impl<const PAD: usize, const WAY: u8> PoolCore<PAD, WAY> {
    fn builder(server: Server, size: usize) -> pool_core::Builder<Backend<PAD, WAY>> {
        let builder = Pool::builder(Backend(server))
            .maxsize(size)
            .acquire_timeout(Duration::from_secs(30));
        match WAY {
            CHECK => builder
                .check_policy(CheckPolicy::Always)
                .check_timeout(Duration::from_secs(5)),
            LEAKS => builder.leak_warning_after(Duration::from_secs(60)),
            OBSERVER => builder.observer(|_: &Event<'_>| {}),
            METRICS => {
                recorder::install();
                builder.observer(MetricsObserver::new())
            }
            OPEN_TELEMETRY => {
                let meter = PROVIDER.get_or_init(provider).meter("pool-bench");
                builder.observer(OpenTelemetryObserver::new(&meter))
            }
            _ => builder,
        }
    }
}

impl<const PAD: usize, const WAY: u8> Contender for PoolCore<PAD, WAY> {
    const NAME: &'static str = match WAY {
        RECYCLE => "pool-core, recycling",
        CHECK => "pool-core, checking",
        LEAKS => "pool-core, leak warning",
        OBSERVER => "pool-core, observer",
        METRICS => "pool-core, metrics",
        OPEN_TELEMETRY => "pool-core, OpenTelemetry",
        _ => "pool-core",
    };
    const SETTINGS: &'static str = match WAY {
        RECYCLE => {
            "as pool-core, but the manager answers Verdict::Recycle (the default): each return runs recycle()"
        }
        CHECK => {
            "in the storm only: as pool-core, with CheckPolicy::Always and check_timeout 5 s: each acquire runs check()"
        }
        LEAKS => "in `watched` only: as pool-core, with leak_warning_after 60 s",
        OBSERVER => "in `watched` only: as pool-core, with an observer that does nothing",
        METRICS => {
            "in `watched` only: as pool-core, with MetricsObserver and a recorder that keeps atomic counters, gauges and 12 buckets"
        }
        OPEN_TELEMETRY => {
            "in `watched` only: as pool-core, with OpenTelemetryObserver and the SDK's PeriodicReader, which exports into memory once a minute"
        }
        _ => {
            "defaults (FIFO, check after 1 s idle, upkeep on, tokio or smol adapter) and acquire_timeout 30 s; the manager answers Verdict::Reuse"
        }
    };

    type Guard<'a> = PooledConnection<Backend<PAD, WAY>>;

    async fn open(server: Server, size: usize) -> Self {
        let pool = Self::builder(server, size).build_lazy();
        Self {
            pool: pool.expect("valid settings"),
        }
    }

    async fn open_full(server: Server, size: usize) -> Option<Self> {
        let pool = Self::builder(server, size).minsize(size).build().await;
        Some(Self {
            pool: pool.expect("nothing fails"),
        })
    }

    async fn acquire(&self) -> Self::Guard<'_> {
        self.pool.acquire().await.expect("a connection")
    }

    fn acquire_size(&self) -> usize {
        size_of_val(&self.pool.acquire())
    }
}
