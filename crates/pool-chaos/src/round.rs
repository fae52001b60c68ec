//! One round: a server, a proxy, a pool, the tasks, the faults, and the audit.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use pool_chaos::proxy::Proxy;
use pool_mysql::ResetPolicy;
use private_server::PrivateServer;
use tokio::runtime::{Builder, Handle};

use crate::faults::{Faults, KINDS};
use crate::leftover::{self, Leftover};
use crate::pool_place::PoolPlace;
use crate::report::{Sum, TRIES_ENOUGH};
use crate::tally::Tally;
use crate::vault::Vault;
use crate::{audit, bank, mover, sampler};

/// How many tasks use the pool at once.
const MOVERS: u64 = 16;

/// How long the server may need to notice that its clients have gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a round is like.
pub(crate) struct Round {
    /// The name of the policy.
    pub(crate) name: &'static str,
    pub(crate) policy: ResetPolicy,
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    /// The faults whose name has this in it.
    pub(crate) only: String,
}

impl Round {
    /// Runs it and returns what came of it.
    pub(crate) fn run(&self) -> Result<Sum, Box<dyn Error>> {
        let journals = folder(self.seed)?;
        let server = Arc::new(bank::start_server()?);
        let proxy = Arc::new(Proxy::to(bank::address(&server))?);
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let sum = runtime.block_on(run(self, &journals, server, proxy, runtime.handle()))?;
        // The journals of a round that went wrong are evidence.
        match sum.violations.is_empty() {
            true => fs::remove_dir_all(&journals)?,
            false => println!("chaos: the journals are in {}", journals.display()),
        }
        Ok(sum)
    }
}

/// An empty folder for the journals.
fn folder(seed: u64) -> std::io::Result<PathBuf> {
    let name = format!("pool-chaos-{}-{seed}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder)?;
    Ok(folder)
}

async fn run(
    round: &Round,
    journals: &Path,
    server: Arc<PrivateServer>,
    proxy: Arc<Proxy>,
    tokio: &Handle,
) -> Result<Sum, Box<dyn Error>> {
    let mut admin = bank::admin(server.port()).await?;
    bank::open(&mut admin).await?;
    let vault = Vault::open(&mut admin).await?;
    let tally = Arc::new(Tally::new());
    let place = Arc::new(PoolPlace::new(proxy.address().port(), round.policy, vault)?);
    let mut random = Rng::with_seed(round.seed);
    let sampling = sampler::run(server.port(), Arc::clone(&proxy), Arc::clone(&tally));
    let sampling = tokio.spawn(sampling);
    let mut movers = Vec::new();
    for number in 1..=MOVERS {
        let (journals, place) = (journals.to_owned(), Arc::clone(&place));
        let (tally, random) = (Arc::clone(&tally), random.fork());
        movers.push(
            tokio.spawn(async move { mover::run(number, &journals, place, tally, random).await }),
        );
    }
    let faults = Faults {
        server: Arc::clone(&server),
        proxy: Arc::clone(&proxy),
        place: Arc::clone(&place),
        tally: Arc::clone(&tally),
        tokio: tokio.clone(),
        random,
        only: round.only.clone(),
    };
    let length = round.length;
    let faults = thread::spawn(move || faults.run(length));
    while !faults.is_finished() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let [ok, failed, unknown] = tally.moves();
        let now = tally.since_start().as_secs();
        println!("chaos: {now:4} s  {ok} ok, {failed} failed, {unknown} unknown");
    }
    let broken = faults.join();
    tally.is_over.store(true, Ordering::SeqCst);
    for mover in movers {
        mover.await??;
    }
    sampling.await?;
    broken.map_err(|_| "the thread of the faults has panicked")??;
    place.close(false, &proxy, &tally).await;
    let mut admin = bank::admin(server.port()).await?;
    let start = Instant::now();
    loop {
        let left = bank::sessions(&mut admin).await?.len();
        match leftover::judge(left, "sessions", start.elapsed(), PATIENCE) {
            Leftover::Nothing => break,
            Leftover::MayGo => tokio::time::sleep(Duration::from_millis(20)).await,
            Leftover::Stays(what) => {
                tally.violation(what);
                break;
            }
        }
    }
    let findings = audit::run(&mut admin, journals, round.policy).await?;
    tally.note(|sum| sum.count(round.name, &findings));
    for what in findings.violations {
        tally.violation(what);
    }
    let mut sum = tally.sum();
    let wanted: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| kind.contains(&*round.only))
        .collect();
    for kind in sum.never_caused(&wanted) {
        let what = format!(
            "this fault was never caused, and another was tried {TRIES_ENOUGH} times: {kind}"
        );
        eprintln!("chaos: BROKEN: {what}");
        sum.violations.push(what);
    }
    Ok(sum)
}
