//! Tests in child processes. Of the defaults: this process's environment stays as it
//! is, and the user's cache too. Of what a process has as a whole, such as its memory:
//! there no other test runs beside them.

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

/// A child process that runs `test` (`module::name`) of this test binary, with its
/// cache in `folder`.
pub(crate) fn command(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]);
    command.env(CACHE, folder);
    command
}

/// Whether this is a child with a cache of its own. If not, runs `test`, the
/// caller, in one, and holds it to its success and to that cache.
pub(crate) fn has_own_cache(test: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    if is_alone(test, folder.path()) {
        return true;
    }
    let kept = folder.path().join("gpu-executor").is_dir();
    assert!(kept || cfg!(not(target_os = "linux")), "kept elsewhere");
    false
}

/// Whether this is a child that runs nothing but `test`. If not, runs `test`, the
/// caller, in one, with its cache in `folder`, and holds it to its success.
pub(crate) fn is_alone(test: &str, folder: &Path) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let output = command(test, folder).env(CHILD, "1").output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}
