//! Tests of the defaults, in child processes: this process's environment
//! stays as it is, and the user's cache too.

use std::path::Path;
use std::process::Command;

/// Set in a child that runs a test for its parent.
const CHILD: &str = "GPU_EXECUTOR_TEST_CHILD";
/// Where the user's cache folder is looked for; on Windows no variable tells.
const CACHE: &str = if cfg!(target_os = "macos") {
    "HOME"
} else {
    "XDG_CACHE_HOME"
};

/// A child process that runs `test` of this test binary, with its cache in
/// `folder`.
pub(crate) fn command(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]);
    command.env(CACHE, folder);
    command
}

/// Whether this is a child with a cache of its own. If not, runs `test`, the
/// caller, in one, and holds it to its success and to that cache.
pub(crate) fn has_own_cache(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = command(test, folder.path()).env(CHILD, "1").output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let kept = folder.path().join("gpu-executor").is_dir();
    assert!(kept || cfg!(not(target_os = "linux")), "kept elsewhere");
    false
}
