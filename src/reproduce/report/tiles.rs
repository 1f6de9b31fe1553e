//! Images of many small tiles: receptive fields.

use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{Markup, html};

use super::{chart::at, scale::plain};
use crate::reproduce::gather::Values;

/// Room between tiles, in their pixels.
const GAP: usize = 1;
/// Width of one sheet of tiles.
const SHEET: f64 = 300.0;
const BETWEEN: f64 = 24.0;
const HEAD: f64 = 22.0;
const FOOT: f64 = 24.0;

/// Sheets of tiles side by side, each with its name; the size of it all.
///
/// # Errors
/// If a value is no list of images.
pub(super) fn draw(sheets: &[(String, &Values)], count: usize) -> Result<(Markup, f64, f64), String> {
    let mut drawn = Vec::with_capacity(sheets.len());
    let mut deepest: f64 = 0.0;
    for (place, (name, values)) in sheets.iter().enumerate() {
        let sheet = Sheet::new(values, count)?;
        let height = SHEET * sheet.rows as f64 / sheet.cols as f64;
        deepest = deepest.max(height);
        let left = place as f64 * (SHEET + BETWEEN);
        let url = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(sheet.png()));
        let range = format!("{} … {}", plain(round(sheet.low)), plain(round(sheet.high)));
        drawn.push(html! {
            text class="strong" x=(at(left)) y="14" { (name) }
            image x=(at(left)) y=(at(HEAD)) width=(at(SHEET)) height=(at(height)) preserveAspectRatio="none" href=(url) {}
            text x=(at(left)) y=(at(HEAD + height + 17.0)) { (range) }
        });
    }
    let width = sheets.len() as f64 * (SHEET + BETWEEN) - BETWEEN;
    Ok((html! { @for sheet in drawn { (sheet) } }, width, HEAD + deepest + FOOT))
}

/// Three digits that count are enough for a legend.
fn round(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// Tiles in a square, as values with NaN between them.
struct Sheet {
    rows: usize,
    cols: usize,
    pixels: Vec<f64>,
    low: f64,
    high: f64,
}

impl Sheet {
    fn new(values: &Values, count: usize) -> Result<Self, String> {
        let &[n, rows, cols] = values.shape.as_slice() else {
            return Err(format!("a list of images has three dimensions, not {}", values.shape.len()));
        };
        let n = n.min(count);
        let across = (1..=n.max(1)).find(|side| side * side >= n).unwrap_or(1);
        let down = n.div_ceil(across).max(1);
        let (height, width) = (down * (rows + GAP) + GAP, across * (cols + GAP) + GAP);
        let mut pixels = vec![f64::NAN; height * width];
        for tile in 0..n {
            let (top, left) = (GAP + tile / across * (rows + GAP), GAP + tile % across * (cols + GAP));
            for row in 0..rows {
                let from = (tile * rows + row) * cols;
                let to = (top + row) * width + left;
                pixels[to..to + cols].copy_from_slice(&values.data[from..from + cols]);
            }
        }
        let shown = pixels.iter().copied().filter(|x| x.is_finite());
        let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        Ok(Self { rows: height, cols: width, pixels, low, high })
    }

    /// Signed values from blue over white to red, white at 0; others from white to black.
    fn colour(&self, x: f64) -> [u8; 3] {
        if !x.is_finite() {
            return [128, 134, 142];
        }
        let mix = |to: [f64; 3], part: f64| {
            to.map(|to| (255.0 + (to - 255.0) * part.clamp(0.0, 1.0)).round() as u8)
        };
        if self.low >= 0.0 {
            return mix([16.0, 24.0, 40.0], (x - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE));
        }
        let most = self.high.abs().max(self.low.abs());
        // The square root shows weak values beside a few strong ones.
        let part = (x.abs() / most).sqrt();
        mix(if x < 0.0 { [20.0, 80.0, 170.0] } else { [190.0, 40.0, 20.0] }, part)
    }

    fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.cols as u32, self.rows as u32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().expect("a vector takes every byte");
        let data: Vec<u8> = self.pixels.iter().flat_map(|&x| self.colour(x)).collect();
        writer.write_image_data(&data).expect("there are three bytes for each pixel");
        writer.finish().expect("a vector takes every byte");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_laid_out_row_by_row_with_room_between() {
        let values = Values { shape: vec![3, 1, 2], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let sheet = Sheet::new(&values, 36).expect("three images");
        assert_eq!((sheet.rows, sheet.cols), (5, 7));
        let row =
            |row: usize| sheet.pixels[row * 7..row * 7 + 7].iter().map(|x| if x.is_nan() { 0.0 } else { *x });
        assert_eq!(row(1).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 0.0, 3.0, 4.0, 0.0]);
        assert_eq!(row(3).collect::<Vec<_>>(), [0.0, 5.0, 6.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!((sheet.low, sheet.high), (1.0, 6.0));
        assert!(Sheet::new(&Values { shape: vec![6], data: vec![0.0; 6] }, 36).is_err());
    }

    #[test]
    fn signs_have_colours_and_zero_is_white() {
        let signed = Sheet { rows: 1, cols: 1, pixels: vec![], low: -1.0, high: 1.0 };
        assert_eq!(signed.colour(0.0), [255, 255, 255]);
        let (red, blue) = (signed.colour(1.0), signed.colour(-1.0));
        assert!(red[0] > red[2] && blue[2] > blue[0]);
        let probability = Sheet { low: 0.0, ..signed };
        assert_eq!(probability.colour(0.0), [255, 255, 255]);
        assert!(probability.colour(1.0)[0] < 40);
    }
}
