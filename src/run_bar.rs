//! The progress of `vesicle run` on standard error, where that is a terminal.

use std::{cell::RefCell, io::IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::{Paint, number, sparkline};

const WIDTH: usize = 24;

/// A bar with the course of the first scalar.
pub(crate) struct RunBar {
    bar: ProgressBar,
    course: RefCell<Option<(&'static str, Vec<f64>)>>,
}

impl RunBar {
    /// At step 0.
    pub(crate) fn new(experiment: &str, seed: u64, steps: u64) -> Self {
        let colour = if Paint::stderr().is_on() { ".cyan/dim" } else { "" };
        let template = format!(
            "{{prefix}} {{bar:{WIDTH}{colour}}} {{percent:>3}} % {{human_pos}}/{{human_len}} · {{eta}} left {{msg}}"
        );
        let style =
            ProgressStyle::with_template(&template).expect("the template is constant").progress_chars("━╸─");
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(8),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(steps), target).with_style(style);
        bar.set_prefix(format!("{experiment} · seed {seed}"));
        Self { bar, course: RefCell::new(None) }
    }

    /// Steps taken.
    pub(crate) fn step(&self, step: u64) {
        self.bar.set_position(step);
    }

    /// A value; the first metric that comes is the one shown.
    pub(crate) fn scalar(&self, name: &'static str, value: f64) {
        let mut course = self.course.borrow_mut();
        let (shown, values) = course.get_or_insert_with(|| (name, Vec::new()));
        if *shown == name {
            values.push(value);
            self.bar.set_message(format!("· {name} {} {}", number(value), sparkline(values, WIDTH)));
        }
    }

    /// Leaves the last line standing.
    pub(crate) fn finish(&self) {
        self.bar.abandon();
    }
}
