//! Many callers, and all combinations of what the steps do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::peer::Settings;
use crate::runner::Scenario;
use crate::server::{Server, Step};
use crate::world::{Check, Fault, World, bounded, expect};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P10", "callers time out while connects are slow", |w| {
        Box::pin(slow_connects(w))
    }),
    Scenario::new(
        "P17",
        "connect, check, recycle: ok, error, slow, stuck",
        |w| Box::pin(combinations(w)),
    )
    .at_most(Duration::from_secs(60)),
    Scenario::new("P35", "100 tasks acquire 10,000 times each", |w| {
        Box::pin(many_rounds(w))
    })
    .on_two_threads()
    .at_most(Duration::from_secs(120)),
];

/// One caller in each millisecond. At first all connections are in use; they break when half of the time of the first callers
/// is over, so a connect takes longer than its caller still waits.
async fn slow_connects(w: World) -> Check {
    const MAXSIZE: usize = 10;
    let pool = w.open(Settings::of(MAXSIZE)).await?;
    let mut held = Vec::new();
    for _ in 0..MAXSIZE {
        held.push(pool.served("an acquire").await?);
    }
    let before = w.server.attempts();
    w.server.set_connect(Step::Delay(Duration::from_millis(50)));
    let served = Arc::new(AtomicUsize::new(0));
    let mut callers = Vec::new();
    for nth in 0..1000 {
        let (pool, served) = (pool.clone(), Arc::clone(&served));
        callers.push(tokio::spawn(async move {
            let acquire = tokio::time::timeout(Duration::from_millis(60), pool.acquire());
            if let Ok(Ok(lease)) = acquire.await {
                served.fetch_add(1, SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                drop(lease);
            }
        }));
        if nth == 30 {
            for lease in held.drain(..) {
                lease.connection().cut();
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for caller in callers {
        let ended = bounded("a caller", caller).await?;
        expect(ended.is_ok(), "an acquire panics")?;
    }
    // A connect that its caller has left has reached the server, too.
    let attempts = w.server.attempts() - before;
    let served = served.load(SeqCst);
    expect(
        served > 0 && attempts <= 3 * MAXSIZE as u64,
        format!(
            "{attempts} connects with maxsize {MAXSIZE}, and {served} of 1000 callers are served"
        ),
    )?;
    w.server.set_connect(Step::Ok);
    pool.is_whole().await
}

/// What a step does in a combination.
const STEPS: [Step; 4] = [
    Step::Ok,
    Step::Err,
    Step::Delay(Duration::from_millis(8)),
    Step::Pend,
];

async fn combinations(w: World) -> Check {
    for connect in &STEPS {
        for check in &STEPS {
            // A recycle that is stuck is P12.
            for recycle in &STEPS[..3] {
                let combination = combination(&w, [connect, check, recycle]);
                let names = [connect, check, recycle].map(|step| format!("{step:?}"));
                combination.await.map_err(|fault| {
                    let when = |what| format!("{what} (with {})", names.join(", "));
                    match fault {
                        Fault::Fail(what) => Fault::Fail(when(what)),
                        Fault::Hang(what) => Fault::Hang(when(what)),
                    }
                })?;
            }
        }
    }
    Ok(())
}

async fn combination(w: &World, [connect, check, recycle]: [&Step; 3]) -> Check {
    let w = World {
        server: Server::default(),
        kind: w.kind,
    };
    let mut settings = Settings::of(2);
    settings.step_timeout = Some(Duration::from_millis(10));
    let pool = w.open(settings).await?;
    drop(pool.served("the first acquire").await?);
    w.server.set_connect(connect.clone());
    w.server.set_check(check.clone());
    w.server.set_recycle(recycle.clone());
    let callers = (0..4).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move {
            // Some leave before the limit of the step, and some after it.
            for limit in [4, 20] {
                let limit = Duration::from_millis(limit);
                let got = tokio::time::timeout(limit, pool.acquire()).await;
                tokio::task::yield_now().await;
                drop(got);
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        let ended = bounded("a caller", caller).await?;
        expect(ended.is_ok(), "an acquire panics")?;
    }
    w.server.set_connect(Step::Ok);
    w.server.set_check(Step::Ok);
    w.server.set_recycle(Step::Ok);
    pool.is_whole().await
}

async fn many_rounds(w: World) -> Check {
    let pool = w.open(Settings::of(10)).await?;
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for _ in 0..10_000 {
                    drop(pool.acquire().await?);
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    for task in tasks {
        // The limit of the scenario is the limit of all rounds.
        task.await
            .map_err(|error| Fault::Fail(error.to_string()))?
            .map_err(Fault::Fail)?;
    }
    pool.is_whole().await
}
