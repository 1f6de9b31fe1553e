//! A bound and the values of every seed in one strip.

use experiments::{Bound, Measured, Outcome};
use maud::{Markup, html};

use super::{chart::at, scale::Scale};

const WIDTH: f64 = 190.0;
const MIDDLE: f64 = 13.0;

/// Dots for seeds, hollow ones for the control, the side that meets the bound shaded.
pub(super) fn strip(bound: Bound, outcome: &Outcome) -> Option<Markup> {
    let measured = outcome.measured.as_ref().ok()?;
    let control = outcome.control.as_ref().and_then(|control| control.as_ref().ok());
    let edges = match bound {
        Bound::AtLeast(edge) | Bound::AtMost(edge) => vec![edge],
        Bound::Within(centre, half) => vec![centre - half, centre + half],
    };
    let of = |measured: &Measured| {
        measured.points.iter().flat_map(|(_, values)| values.clone()).collect::<Vec<_>>()
    };
    // Reduced points have another scale than the points themselves.
    let shown =
        |measured: &Measured| if measured.point.is_empty() { measured.values.clone() } else { of(measured) };
    let (own, others) = (shown(measured), control.map(shown).unwrap_or_default());
    let all = own.iter().chain(&others).chain(&edges).copied();
    let scale = Scale::over(all, None, false, (4.0, WIDTH - 4.0));
    let (from, to) = match bound {
        Bound::AtLeast(edge) => (scale.place(edge), WIDTH),
        Bound::AtMost(edge) => (0.0, scale.place(edge)),
        Bound::Within(centre, half) => (scale.place(centre - half), scale.place(centre + half)),
    };
    let interval = measured.interval.filter(|_| own.len() > 1 && measured.points.len() < 2);
    Some(html! {
        svg class="fig strip" role="img" viewBox=(format!("0 0 {WIDTH} 26")) width=(WIDTH) height="26" aria-label="values of all seeds against the bound" {
            rect class="good" x=(at(from)) y="3" width=(at((to - from).max(0.5))) height="20" {}
            path class="grid" d=(format!("M0 {MIDDLE}H{WIDTH}")) {}
            @for edge in &edges { path class="mark" d=(format!("M{} 2V24", at(scale.place(*edge)))) {} }
            @if let Some((low, high)) = interval {
                path class="line bold s0" d=(format!("M{} {MIDDLE}H{}", at(scale.place(low)), at(scale.place(high)))) {}
            }
            @for value in &others { circle class="hollow" cx=(at(scale.place(*value))) cy=(MIDDLE) r="3.4" {} }
            @for value in &own { circle class="full" cx=(at(scale.place(*value))) cy=(MIDDLE) r="3.4" {} }
        }
    })
}
