//! `vesicle experiments`: the catalogue of this program; needs no server.

use clap::Args;
use experiments::{Cadence, Kind};
use serde_json::{Value as Json, json};

use crate::{
    exit::{Ended, Exit, Usage},
    output::{self, Output},
    text::{Paint, Table},
};

const EXAMPLES: &str = "\
Examples:
  vesicle experiments                    all of them
  vesicle experiments rbse               its params, presets and metrics
  vesicle experiments rbse --readme      paper, equations, deviations
  vesicle experiments rbse --json | jq .schema";

/// List the experiments of the catalogue, or show one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExperimentsArgs {
    /// The one to show
    name: Option<String>,
    /// Its page, as Markdown
    #[arg(long, requires = "name")]
    readme: bool,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub(crate) fn run(args: ExperimentsArgs) -> Ended {
    let Some(name) = &args.name else {
        list(args.output)?;
        return Ok(Exit::Ok);
    };
    let kind = experiments::find(name).ok_or_else(|| {
        Usage(format!("experiment `{name}` is not in the catalogue; `vesicle experiments` lists it"))
    })?;
    match () {
        () if args.readme => output::text(kind.readme())?,
        () if args.output.json => output::json(&document(kind))?,
        () => output::text(&page(kind))?,
    }
    Ok(Exit::Ok)
}

fn list(args: Output) -> std::io::Result<()> {
    if args.json {
        let entry = |kind: &&dyn Kind| json!({"name": kind.name(), "version": kind.version(), "summary": kind.summary()});
        return output::json(
            &json!({"experiments": experiments::CATALOGUE.iter().map(entry).collect::<Vec<_>>()}),
        );
    }
    let mut table = Table::new(Paint::stdout(), &["experiment", ">version", "summary"]);
    for kind in experiments::CATALOGUE {
        table.row([kind.name(), &kind.version().to_string(), kind.summary()]);
    }
    output::text(&table.to_string())
}

/// As `GET /experiments/{name}` gives it.
fn document(kind: &dyn Kind) -> Json {
    let presets = kind.presets().iter().map(|(name, text)| {
        let params: Json = toml::from_str(text).expect("presets are parsed by a test of the catalogue");
        ((*name).to_owned(), params)
    });
    let metrics = kind.metrics().iter().map(|metric| {
        json!({
            "name": metric.name, "unit": metric.unit, "kind": metric.kind.name(),
            "cadence": cadence_name(metric.cadence), "meaning": metric.meaning,
        })
    });
    json!({
        "name": kind.name(), "version": kind.version(), "summary": kind.summary(), "schema": kind.schema(),
        "defaults": kind.defaults(), "presets": presets.collect::<serde_json::Map<_, _>>(),
        "metrics": metrics.collect::<Vec<_>>(), "forkable": kind.forkable(), "readme": kind.readme(),
    })
}

fn cadence_name(cadence: Cadence) -> &'static str {
    match cadence {
        Cadence::Every => "every",
        Cadence::Tenth => "tenth",
        Cadence::Final => "final",
    }
}

fn page(kind: &dyn Kind) -> String {
    let paint = Paint::stdout();
    let title = format!("{} v{}", kind.name(), kind.version());
    let mut out = format!("{}  {}\n\n{}\n", paint.bold(&title), kind.summary(), paint.bold("params"));
    let defaults = kind.defaults();
    let mut table = Table::new(paint, &["  name", ">default", "range", "unit", "meaning"]);
    for (name, schema) in kind.schema()["properties"].as_object().into_iter().flatten() {
        table.row([
            &format!("  {name}"),
            &plain(&defaults[name]),
            &range(kind.schema(), schema),
            schema["unit"].as_str().unwrap_or_default(),
            schema["description"].as_str().and_then(|text| text.lines().next()).unwrap_or_default(),
        ]);
    }
    out += &format!("{table}\n{}\n", paint.bold("presets"));
    for (name, text) in kind.presets() {
        out += &format!("  {name}: {}\n", text.trim().replace('\n', ", "));
    }
    if !kind.forkable().is_empty() {
        out += &format!("\n{}\n  {}\n", paint.bold("a fork can change"), kind.forkable().join(", "));
    }
    out += &format!("\n{}\n", paint.bold("metrics"));
    let mut table = Table::new(paint, &["  name", "kind", "unit", "meaning"]);
    for metric in kind.metrics() {
        table.row([&format!("  {}", metric.name), metric.kind.name(), metric.unit, metric.meaning]);
    }
    out + &table.to_string()
}

/// `1 … 4096`, or the values of an enum.
fn range(root: &Json, schema: &Json) -> String {
    let resolved = match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap_or(schema),
        None => schema,
    };
    let bounds = [&resolved["minimum"], &resolved["maximum"]].map(|bound| bound.as_f64());
    if let [Some(low), Some(high)] = bounds {
        return format!("{low} … {high}");
    }
    let variants = resolved["oneOf"].as_array().into_iter().flatten().map(|variant| &variant["const"]);
    let names: Vec<String> =
        resolved["enum"].as_array().into_iter().flatten().chain(variants).map(plain).collect();
    names.join(" | ")
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_from_bounds_enums_and_references() {
        let root = json!({"$defs": {"Model": {"oneOf": [{"const": "A"}, {"const": "B"}]}}});
        assert_eq!(range(&root, &json!({"minimum": 1, "maximum": 4096})), "1 … 4096");
        assert_eq!(range(&root, &json!({"enum": ["cd", "pcd"]})), "cd | pcd");
        assert_eq!(range(&root, &json!({"$ref": "#/$defs/Model"})), "A | B");
        assert_eq!(range(&root, &json!({"type": "string"})), "");
    }

    #[test]
    fn every_experiment_has_a_page() {
        for kind in experiments::CATALOGUE {
            let page = page(*kind);
            assert!(kind.metrics().iter().all(|metric| page.contains(metric.name)), "{}", kind.name());
        }
    }
}
