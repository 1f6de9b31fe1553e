//! The report as one HTML file: no scripts, nothing from elsewhere, light and dark, readable on paper.

use std::collections::BTreeSet;

use experiments::FigureKind;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{figure, strip::strip};
use crate::{
    reproduce::{
        gather::Gathered,
        plan::{Picture, Plan, Skipped},
        verdict::Verdict,
    },
    text::number,
};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(super) fn page(verdicts: &[Verdict<'_>], plan: &Plan, gathered: &Gathered) -> Markup {
    let experiments: Vec<&str> = experiments::CATALOGUE
        .iter()
        .map(|kind| kind.name())
        .filter(|name| verdicts.iter().any(|verdict| verdict.claim.experiment == *name))
        .collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Vesicle: findings" }
                style { (PreEscaped(STYLE)) (PreEscaped(figure::STYLE)) }
            }
            body {
                (head(verdicts, gathered, &experiments))
                @for experiment in &experiments {
                    (section(experiment, verdicts, &plan.pictures, gathered))
                }
                (not_tested(&plan.skipped))
                (method())
            }
        }
    }
}

fn head(verdicts: &[Verdict<'_>], gathered: &Gathered, experiments: &[&str]) -> Markup {
    let expected = verdicts.iter().filter(|verdict| verdict.outcome.is_as_expected()).count();
    let holds = verdicts.iter().filter(|verdict| verdict.word() == "holds").count();
    let seeds: BTreeSet<u64> = verdicts.iter().flat_map(|verdict| verdict.claim.seeds.clone()).collect();
    let seeds = ranges(seeds);
    let all = verdicts.len();
    html! {
        header {
            p class="over" { "Vesicle " (env!("CARGO_PKG_VERSION")) }
            h1 { "Claims of the literature, measured" }
            div class="tiles" {
                (tile(&format!("{expected} of {all}"), "verdicts as expected", expected == all))
                (tile(&holds.to_string(), "findings hold", true))
                (tile(&(all - holds).to_string(), "findings fail", true))
                (tile(&gathered.0.len().to_string(), "runs", true))
                (tile(&seeds, "seeds", true))
            }
            @if experiments.len() > 1 {
                nav { @for name in experiments { a href={"#" (name)} { (name) } } }
            }
        }
    }
}

/// "1–5, 9" of 1, 2, 3, 4, 5 and 9.
fn ranges(ascending: BTreeSet<u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in ascending {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let words = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}–{last}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn not_tested(skipped: &[Skipped]) -> Markup {
    html! {
        @if !skipped.is_empty() {
            section id="skipped" {
                h2 { "Not tested here" }
                ul { @for one in skipped { li { code { (one.name) } ": " (one.reason) } } }
            }
        }
    }
}

fn tile(figure: &str, words: &str, is_good: bool) -> Markup {
    html! { div class=(if is_good { "tile" } else { "tile bad" }) { b { (figure) } span { (words) } } }
}

fn section(experiment: &str, verdicts: &[Verdict<'_>], pictures: &[Picture], gathered: &Gathered) -> Markup {
    let own = verdicts.iter().filter(|verdict| verdict.claim.experiment == experiment);
    let drawn = pictures.iter().filter(|picture| picture.experiment == experiment);
    let summary = experiments::find(experiment).map_or("", |kind| kind.summary());
    html! {
        section id=(experiment) {
            h2 { (experiment) }
            p class="summary" { (summary) }
            table class="findings" {
                thead { tr { th { "Claim" } th { "Bound" } th { "Measured" } th { "Verdict" } } }
                tbody { @for verdict in own { (row(verdict)) } }
            }
            div class="plates" {
                @for (number, picture) in drawn.enumerate() { (plate(number + 1, picture, gathered)) }
            }
        }
    }
}

fn row(verdict: &Verdict<'_>) -> Markup {
    let finding = &verdict.claim.finding;
    let is_as_expected = verdict.outcome.is_as_expected();
    let class = match (is_as_expected, verdict.word()) {
        (false, _) => "chip bad",
        (true, "holds") => "chip good",
        _ => "chip known",
    };
    let rate = finding.false_alarm_rate().map(|rate| format!("false alarms {}", tiny(rate)));
    let quantity = format!("{}, {}", finding.quantity(), finding.statistic());
    let job = job(verdict);
    html! {
        tr id=(verdict.claim.name()) {
            td {
                p class="claim" { (finding.claim) }
                p class="meta" {
                    span class="target" { (finding.target) } " " code { (finding.id) } " · " (finding.source)
                }
                @for remark in verdict.remarks() { p class="remark" { (remark) } }
            }
            td class="bound" { (finding.bound()) }
            td {
                p class="figure" { (verdict.measured()) }
                @if let Some(strip) = strip(finding.bound(), &verdict.outcome) { (strip) }
                p class="meta" { (quantity) }
                p class="meta" { (job) @if let Some(rate) = rate { " · " (rate) } }
            }
            td {
                span class=(class) { (verdict.word()) }
                @if !is_as_expected { p class="meta" { "expected: " (finding.expected.name()) } }
                @else if verdict.word() == "fails" { p class="meta" { "as expected" } }
            }
        }
    }
}

/// The job of a finding and what is scanned.
fn job(verdict: &Verdict<'_>) -> String {
    let mut finding = verdict.claim.finding.clone();
    let scanned: Vec<String> = finding.scan.iter().map(|(name, values)| format!("{name} {values}")).collect();
    finding.scan.clear();
    let points = finding.points(verdict.claim.experiment);
    let job = points.first().map(|point| point.job.label()).unwrap_or_default();
    if scanned.is_empty() { job } else { format!("{job}, over {}", scanned.join(" and ")) }
}

fn tiny(rate: f64) -> String {
    match rate {
        0.0 => "0".into(),
        rate if rate < 1e-12 => "< 1e-12".into(),
        rate => number(rate),
    }
}

fn plate(place: usize, picture: &Picture, gathered: &Gathered) -> Markup {
    let figure = &picture.figure;
    html! {
        figure id=(picture.name()) class=[(figure.kind == FigureKind::Table).then_some("wide")] {
            figcaption {
                b { "Figure " (place) ". " (figure.title) ". " }
                (figure.caption)
                @if let Some(finding) = &figure.finding { " " a href={"#" (picture.experiment) "/" (finding)} { (finding) } }
            }
            @match figure::svg(picture, gathered, false) {
                Ok(svg) => div class="scroll" { (svg) },
                Err(reason) => p class="remark" { "This figure cannot be drawn: " (reason) },
            }
        }
    }
}

fn method() -> Markup {
    html! {
        section class="method" {
            h2 { "How to read this" }
            p {
                "Every verdict is computed from the final metrics of the runs; nothing here is written by hand. A dot is one "
                "seed; hollow dots are the negative control, a job on which the opposite must come out. The shaded side "
                "meets the bound, and the number before the brackets is the one that decides: the worst seed, the mean, "
                "or the end of the 95 % interval, as the finding says. Settings were chosen on seeds 101 to 199 only. "
                "“False alarms” is the chance that fresh seeds give another verdict, from what tuning seeds gave."
            }
            p {
                "A finding that fails as expected is a known limit of the claim, with its reason beside it. The same runs again: "
                code { "vesicle reproduce" } "; the same seed gives the same bits on every machine."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_follow_one_another_are_told_as_a_range() {
        assert_eq!(ranges((1..=5).chain([9, 11, 12]).collect()), "1–5, 9, 11–12");
        assert_eq!(ranges(BTreeSet::new()), "");
    }
}
