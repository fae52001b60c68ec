//! Guards that are dropped where no runtime is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use tokio::runtime::Builder;

use crate::peer::{Offer, Settings};
use crate::runner::{Scenario, message};
use crate::world::{Check, Fault, Lease, World, bounded, expect};

pub(crate) const ALL: &[Scenario] = &[
    Scenario::new("P62i", "guard dropped on a plain thread", |w| {
        Box::pin(on_a_thread(w))
    }),
    Scenario::new("P62ii", "guard dropped after its runtime is gone", |w| {
        Box::pin(after_its_runtime(w))
    }),
    Scenario::new("P62iii", "returned without a runtime, with a waiter", |w| {
        Box::pin(with_a_waiter(w))
    }),
    Scenario::new("P62vii", "acquire and return in another executor", |w| {
        Box::pin(other_executor(w))
    })
    .needs(&[Offer::AnyExecutor]),
];

/// Drops the guard on a plain thread, where a panic is a fault.
fn drop_on_a_thread(lease: Lease) -> Check {
    let dropped = thread::spawn(move || drop(lease)).join();
    dropped.map_err(|panic| Fault::Fail(format!("the drop panics: {}", first_line(&*panic))))
}

fn first_line(panic: &(dyn std::any::Any + Send)) -> String {
    message(panic)
        .lines()
        .next()
        .unwrap_or_default()
        .to_string()
}

async fn on_a_thread(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let lease = pool.served("an acquire").await?;
    drop_on_a_thread(lease)?;
    pool.is_whole().await
}

async fn with_a_waiter(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let lease = pool.served("an acquire").await?;
    let mut waiter = pool.probe();
    waiter.must_wait()?;
    // The faults of P62i are not repeated here: the waiter is what counts.
    let _ = drop_on_a_thread(lease);
    drop(waiter.served("the waiter").await?);
    pool.is_whole().await
}

async fn after_its_runtime(w: World) -> Check {
    let pool = w.open(Settings::of(1)).await?;
    let (user, server) = (pool.clone(), w.server.clone());
    let lease = thread::spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime can be built");
        let lease = runtime.block_on(user.served("an acquire in another runtime"));
        drop(runtime);
        let _ = server;
        lease
    });
    let lease = loop {
        if lease.is_finished() {
            break lease.join();
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    };
    let lease = lease.map_err(|panic| {
        Fault::Fail(format!(
            "acquire in another runtime panics: {}",
            first_line(&*panic)
        ))
    })??;
    drop_on_a_thread(lease)?;
    pool.is_whole().await
}

async fn other_executor(w: World) -> Check {
    let mut settings = Settings::of(1);
    settings.limits = false;
    let pool = w.open(settings).await?;
    let user = pool.clone();
    let other = tokio::task::spawn_blocking(move || {
        // The thread of a runtime would have a runtime: this one is a plain thread.
        thread::spawn(move || {
            catch_unwind(AssertUnwindSafe(|| {
                futures::executor::block_on(async {
                    user.acquire().await.map(drop)?;
                    user.acquire().await.map(drop)
                })
            }))
        })
        .join()
    });
    let ended = bounded("an acquire without tokio", other).await?;
    match ended {
        Ok(Ok(Ok(Ok(())))) => {}
        Ok(Ok(Ok(Err(error)))) => return Err(Fault::Fail(format!("an error: {error}"))),
        Ok(Ok(Err(panic))) => {
            return Err(Fault::Fail(format!("panics: {}", first_line(&*panic))));
        }
        _ => return Err(Fault::Fail("the thread panics".into())),
    }
    expect(w.server.made() >= 1, "nothing was connected")?;
    pool.is_whole().await
}
