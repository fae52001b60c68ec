//! In Chromium the page loads, its canvases are painted, a fault shows within a second, and the console has no error.
//!
//! `cargo xtask test` names the browser in `DASHBOARD_BROWSER`, so that this test is not left out there. Without that variable
//! it looks for one, and leaves itself out if there is none.
//!
//! `DASHBOARD_SCREENSHOT=docs/dashboard.png cargo test -p examples --example dashboard` makes the picture of the documentation.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::Html;
use axum::routing::get;

use crate::faults::Fault;
use crate::{Dashboard, PAGE, Shown, routes};

/// How long Chromium may take for everything, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks at the page from inside, presses a button, and writes to the console what it has seen.
const PROBE: &str = r##"<script>
// Chromium's log does not have these.
const failed = [];
addEventListener("error", (event) => failed.push(event.message || `no ${event.target.src}`), true);
addEventListener("load", async () => {
  const until = async (seen) => {
    const start = performance.now();
    while (!seen()) {
      if (performance.now() - start > 30000) return null;
      await new Promise((next) => setTimeout(next, 5));
    }
    return performance.now() - start;
  };
  const find = (selector, words) =>
    [...document.querySelectorAll(selector)].some((one) => one.textContent.includes(words));
  const button = document.querySelector("[data-fault=lost]");
  const ready = await until(() => find("#readiness", "ready") || find("#readiness", "busy"));
  const borrower = await until(() => find("#borrowers td", "load.rs:") && find("#borrowers td", "(customer "));
  const waits = await until(() => find("#quantiles", "half within"));
  let fastest = null;
  // What else the machine does may delay one of them.
  for (let press = 0; press < 5 && (fastest === null || fastest >= 1000); press++) {
    await until(() => !button.disabled);
    document.getElementById("events").replaceChildren();
    button.click();
    const shown = await until(() => find("#events .fault", "kills") && find("#events li", "was closed: "));
    if (shown !== null && (fastest === null || shown < fastest)) fastest = shown;
    await until(() => find("#events .fault", "over"));
  }
  // The colours of the key, without that of the letters and the lines.
  const colors = ["held", "free", "connecting", "waiting"].map((name) => parseInt(color(name).slice(1), 16));
  const paint = () => [...document.querySelectorAll("canvas")].map((one) => {
    // A copy, because Chromium writes a warning if a canvas is read often.
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [one.width, one.height];
    const draw = copy.getContext("2d", { willReadFrequently: true });
    draw.drawImage(one, 0, 0);
    const { data } = draw.getImageData(0, 0, copy.width, copy.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const pixel = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
      if (data[at + 3] === 255 && colors.includes(pixel)) count++;
    }
    return [one.id, count];
  });
  // One tick after the other, the gauges grow from the right.
  await until(() => paint().every(([, count]) => count > 1000));
  const painted = paint();
  const numbers = [...document.querySelectorAll("#numbers dt")].map((one) => one.textContent);
  // For what fails late.
  await new Promise((next) => setTimeout(next, 1000));
  for (const { name, responseStatus } of performance.getEntriesByType("resource")) {
    if (responseStatus >= 400) failed.push(`${responseStatus} ${name}`);
  }
  const told = [...document.querySelectorAll("#events li")].map((one) => one.textContent);
  console.info("verdict " + JSON.stringify({ ready, borrower, waits, fastest, painted, numbers, failed, told }));
});
</script>"##;

/// The page with the probe at `/`, and at `/still` a page whose loading ends after sixteen seconds.
fn probed(shown: Shown) -> Router {
    let page = |more: &str| PAGE.replacen("<head>", &format!("<head>{more}"), 1);
    let probed = page(PROBE);
    let still = PAGE.replacen(
        "</main>",
        r#"</main><img hidden src="/sixteen-seconds">"#,
        1,
    );
    let rest = routes(shown);
    Router::new()
        .route("/probed", get(async move || Html(probed.clone())))
        .route("/still", get(async move || Html(still.clone())))
        .route(
            "/sixteen-seconds",
            get(async || tokio::time::sleep(Duration::from_secs(16)).await),
        )
        .merge(rest)
}

#[tokio::test(flavor = "multi_thread")]
async fn in_chromium_the_page_loads_a_fault_shows_within_a_second_and_the_console_has_no_error() {
    let program = match Browser::of(env::var_os("DASHBOARD_BROWSER")) {
        Ok(program) => program,
        Err(why) => return println!("left out: {why}"),
    };
    let dashboard = Dashboard::start(probed).await.expect("it starts");
    let url = format!("http://{}/probed", dashboard.address);
    let verdict = tokio::task::spawn_blocking({
        let program = program.clone();
        move || verdict_of(&program, &url)
    });
    let verdict = verdict.await.expect("no panic");
    println!("{verdict:#}");
    for seen in ["ready", "borrower", "waits"] {
        assert!(verdict[seen].is_number(), "{seen}: {verdict}");
    }
    let painted = verdict["painted"].as_array().expect("the canvases");
    let names: Vec<_> = painted.iter().map(|one| one[0].as_str()).collect();
    assert_eq!(names, [Some("gauges"), Some("waits")]);
    for canvas in painted {
        assert!(canvas[1].as_u64() > Some(1000), "{canvas} is empty");
    }
    for number in ["time-outs", "other failed acquires", "breaker opened"] {
        let numbers = verdict["numbers"].as_array().expect("the numbers");
        assert!(
            numbers.iter().any(|name| name == number),
            "no {number:?}: {verdict}"
        );
    }
    assert_eq!(verdict["failed"], serde_json::json!([]), "{verdict}");
    let fastest = verdict["fastest"].as_f64().expect("the fault shows");
    assert!(fastest < 1000.0, "it shows after {fastest} ms");
    if let Some(picture) = env::var_os("DASHBOARD_SCREENSHOT") {
        take_picture(&dashboard, &program, PathBuf::from(picture)).await;
    }
    dashboard.stop().await.expect("it stops");
}

#[test]
fn a_browser_that_is_named_is_not_left_out() {
    let named = |name: &str| Browser::of(Some(name.into()));
    assert_eq!(named("/no/such/browser"), Ok("/no/such/browser".into()));
    assert_eq!(named("none"), Err("DASHBOARD_BROWSER is `none`"));
    let opened = std::panic::catch_unwind(|| Browser::open(Path::new("/no/such/browser"), &[], ""));
    let message = opened.err().expect("it does not start");
    let message = message.downcast_ref::<String>().expect("a text");
    assert!(message.starts_with("/no/such/browser does not start: "));
}

/// What the probe has written. Any other line in the console is a failure.
fn verdict_of(program: &Path, url: &str) -> serde_json::Value {
    let browser = Browser::open(program, &[], url);
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let line = browser.lines.recv_timeout(left).expect("a verdict");
        // Such as `[…:INFO:CONSOLE:34] "text", source: http://… (34)`.
        let Some((_, text)) = line.split_once("CONSOLE") else {
            continue;
        };
        let (_, verdict) = text
            .split_once("\"verdict ")
            .unwrap_or_else(|| panic!("the console says: {line}"));
        let (verdict, _) = verdict.rsplit_once("\", source: ").expect("its place");
        return serde_json::from_str(verdict).expect("JSON");
    }
}

/// A picture of the page in the third second of a fault.
async fn take_picture(dashboard: &Dashboard, program: &Path, picture: PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let url = format!("http://{}/still", dashboard.address);
    let faults = dashboard.shown.faults.clone();
    let flags = [
        format!("--screenshot={}", root.join(picture).display()),
        "--window-size=1280,900".to_owned(),
        "--hide-scrollbars".to_owned(),
    ];
    let program = program.to_owned();
    let browser = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::open(&program, &flags, &url);
        let _ = browser.process.wait();
    });
    for (pause, fault) in [(4, Fault::Lost), (11, Fault::Slow)] {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        faults.begin(fault, &dashboard.shown.watch);
    }
    browser.await.expect("no panic");
}

/// Chromium without a window, and its folder. Both end with this value.
struct Browser {
    process: Child,
    lines: Receiver<String>,
    folder: PathBuf,
}

impl Browser {
    /// The program of the one that is named, or else of one that is found; or why there is none.
    fn of(named: Option<OsString>) -> Result<PathBuf, &'static str> {
        match named.filter(|named| !named.is_empty()) {
            Some(named) if named == "none" => Err("DASHBOARD_BROWSER is `none`"),
            Some(named) => Ok(named.into()),
            None => chromium().ok_or("there is no Chromium here, and DASHBOARD_BROWSER names none"),
        }
    }

    fn open(program: &Path, flags: &[String], url: &str) -> Self {
        let folder = env::temp_dir().join(format!("pool-dashboard-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut process = Command::new(program)
            // All that it leaves behind is in its folder.
            .env("TMPDIR", &folder)
            .args(["--headless", "--enable-logging=stderr", "--no-first-run"])
            // It sees nothing but the page of this test; root cannot have a sandbox.
            .args(["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--disable-background-networking", "--disable-extensions"])
            .arg(format!("--user-data-dir={}/profile", folder.display()))
            .args(flags)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let stderr = process.stderr.take().expect("it is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            lines.for_each(|line| drop(sender.send(line)));
        });
        Self {
            process,
            lines,
            folder,
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Its helpers may still write for a moment.
        for _ in 0..50 {
            if fs::remove_dir_all(&self.folder).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Debian's and Ubuntu's names of it, and that of Chrome, which will do as well.
fn chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
}
