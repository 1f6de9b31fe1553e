//! SIGTERM and Ctrl-C, and SIGUSR1, by which launchers of processes let them drain.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to stop.
///
/// # Errors
/// If the signals cannot be listened to.
pub(crate) async fn asked_to_stop() -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("cannot listen to signals");
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut drain = listen(SignalKind::user_defined1())?;
    tokio::select! {
        _ = drain.recv() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// From here on, one more signal ends the process at once: somebody is in a hurry.
pub(crate) fn exit_on_second_signal() {
    tokio::spawn(async {
        if asked_to_stop().await.is_ok() {
            eprintln!("stopped at once; leases run out by themselves");
            std::process::exit(130);
        }
    });
}
