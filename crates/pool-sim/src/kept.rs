//! The scripts that have failed once.

use std::fs;
use std::path::Path;

use pool_sim::{Script, run};

/// Those that fail today, in words.
pub(crate) fn failures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let Ok(files) = fs::read_dir(&folder) else {
        return vec![format!("{} cannot be read", folder.display())];
    };
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    paths
        .filter_map(|path| Some(format!("{}: {}", path.display(), failure(&path)?)))
        .collect()
}

fn failure(path: &Path) -> Option<String> {
    let script = fs::read_to_string(path).map_err(|error| error.to_string());
    let script = script.and_then(|text| {
        let script = text.parse::<Script>();
        script.map_err(|error| error.to_string())
    });
    match script {
        Ok(script) => run(&script).err().map(|failure| failure.to_string()),
        Err(why) => Some(why),
    }
}
