//! Virtual environments of the peers, one each, with pinned versions, made once.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

/// The folder of the scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The Python of a peer, installed if it is not there yet.
///
/// # Errors
/// If it cannot be installed.
pub(crate) fn python(name: &str) -> anyhow::Result<PathBuf> {
    let requirements = scripts().join(format!("{name}.txt"));
    let wanted = fs::read_to_string(&requirements)?;
    let folder = home()?.join(name);
    let (python, ready) = (folder.join("bin/python"), folder.join("ready.txt"));
    // The file is written last and holds what was installed: a half-made or outdated environment is made anew.
    if fs::read_to_string(&ready).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("{name}: installing into {}", folder.display());
    let install = || {
        execute(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        execute(Command::new(&python).args(pip).arg(&requirements))?;
        fs::write(&ready, wanted).context("cannot note that it is ready")
    };
    install().with_context(|| format!("{name} cannot be installed; SKIP={name} leaves it out"))?;
    Ok(python)
}

fn home() -> anyhow::Result<PathBuf> {
    if let Some(folder) = env::var_os("VESICLE_BENCH_HOME").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let home = env::var_os("HOME").context("set VESICLE_BENCH_HOME or HOME")?;
    Ok(Path::new(&home).join(".cache/vesicle-bench"))
}

/// Runs a command whose output is for people.
fn execute(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
