//! The report: a page with everything in it, figures as files, and `findings.json`.

mod chart;
mod figure;
mod page;
mod rows;
mod scale;
mod source;
mod strip;
mod tiles;

use std::path::Path;

use anyhow::Context;

use super::{
    gather::Gathered,
    plan::Plan,
    verdict::{self, Verdict},
};

/// Writes `index.html`, `findings.json` and `figures/*.svg` into a folder, which is made if it is not there.
///
/// # Errors
/// If a file cannot be written. A figure that cannot be drawn says so in its place.
pub(super) fn write(
    folder: &Path,
    verdicts: &[Verdict<'_>],
    plan: &Plan,
    gathered: &Gathered,
) -> anyhow::Result<()> {
    let figures = folder.join("figures");
    std::fs::create_dir_all(&figures)
        .with_context(|| format!("cannot make the folder {}", figures.display()))?;
    let put = |path: &Path, text: &str| {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    put(&folder.join("index.html"), &page::page(verdicts, plan, gathered).into_string())?;
    put(
        &folder.join("findings.json"),
        &format!("{:#}\n", verdict::document(verdicts, &plan.skipped, gathered)),
    )?;
    for picture in &plan.pictures {
        if let Ok(svg) = figure::svg(picture, gathered, true) {
            put(&figures.join(format!("{}.svg", picture.name())), &format!("{}\n", svg.into_string()))?;
        }
    }
    Ok(())
}
