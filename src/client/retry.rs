//! When to try again, and after how long.

use std::time::Duration;

use reqwest::{Response, header};

/// What one try came to.
pub(super) enum Attempt {
    /// A success.
    Answered(Response),
    /// Try again after a pause.
    AgainIn(Duration),
}

/// What stands in the way of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// None, or none that time would cure.
    Lasting,
    /// Nobody answers.
    Silent,
    /// The server is busy or starting; perhaps it says when to come back.
    Busy(Option<Duration>),
}

/// How long trouble is put up with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    silent: Duration,
    busy: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Patience {
    /// A person waits for one answer.
    pub(super) const ONE_OFF: Self =
        Self { silent: Duration::from_millis(800), busy: Duration::from_secs(30) };
    /// A job is followed; servers restart.
    pub(super) const FOLLOWING: Self =
        Self { silent: Duration::from_secs(60), busy: Duration::from_secs(120) };

    /// The pause before the next try after `tries` tries over `spent`; `None` to give up.
    pub(super) fn pause(&self, trouble: &Trouble, tries: u32, spent: Duration) -> Option<Duration> {
        let backoff = (FIRST_PAUSE * 2_u32.saturating_pow(tries.min(10))).min(LONGEST_PAUSE);
        let (pause, limit) = match trouble {
            Trouble::Lasting => return None,
            Trouble::Silent => (backoff, self.silent),
            Trouble::Busy(asked) => (asked.unwrap_or(backoff).max(backoff), self.busy),
        };
        (spent + pause <= limit).then_some(pause)
    }
}

/// Which trouble an answer, or the lack of one, shows.
pub(super) fn trouble(answer: &Result<Response, reqwest::Error>) -> Trouble {
    match answer {
        Err(error) if error.is_builder() => Trouble::Lasting,
        Err(_) => Trouble::Silent,
        Ok(response) if matches!(response.status().as_u16(), 429 | 502 | 503 | 504) => {
            let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            Trouble::Busy(asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs))
        }
        Ok(_) => Trouble::Lasting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn pauses_double_up_to_two_seconds() {
        let pauses: Vec<u128> = (0..7)
            .filter_map(|tries| Patience::FOLLOWING.pause(&Trouble::Silent, tries, NOW))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 2000, 2000]);
    }

    #[test]
    fn a_silent_server_is_given_up_within_a_second() {
        let mut spent = NOW;
        for tries in 0.. {
            let Some(pause) = Patience::ONE_OFF.pause(&Trouble::Silent, tries, spent) else { break };
            spent += pause;
        }
        assert!(spent >= Duration::from_millis(500) && spent < Duration::from_secs(1), "{spent:?}");
    }

    #[test]
    fn a_busy_server_is_asked_again_when_it_says_but_not_for_ever() {
        let asked = Trouble::Busy(Some(Duration::from_secs(5)));
        assert_eq!(Patience::ONE_OFF.pause(&asked, 0, NOW), Some(Duration::from_secs(5)));
        assert_eq!(Patience::ONE_OFF.pause(&asked, 3, Duration::from_secs(26)), None);
    }

    #[test]
    fn a_refusal_is_final() {
        assert_eq!(Patience::FOLLOWING.pause(&Trouble::Lasting, 0, NOW), None);
    }
}
