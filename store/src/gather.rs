//! Requests of one kind are carried out together: a group costs little more than one of them.
//!
//! Nobody waits for company: whoever finds no group under way goes alone, whoever comes meanwhile shares the next group.
//! What goes wrong in company is tried again alone, unless the database is to blame: nobody is answered for what another
//! one asked.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, join_all};
use tokio::sync::oneshot;

use crate::weight::Weight;
use crate::{Result, StoreError};

/// So many may wait; further ones are refused as busy.
const WAITING: usize = 1_024;
/// So many share a group.
const GROUP: usize = 64;
/// When so many rows wait, another group may begin beside the one that is under way. Fewer are faster together.
const MUCH: usize = 500;

/// Between two groups so many turns are left to other tasks: requests that have arrived join the next group, and those who
/// have just been answered may ask again. Nobody is waited for; with nothing else to do a turn takes no time.
const TURNS: usize = 8;

/// What is asked.
pub(crate) trait Question: fmt::Debug + Send + Sync + 'static {
    /// What it is answered.
    type Answer: fmt::Debug + Send + 'static;
    /// What it is about.
    type Key: Ord;

    /// Two questions with the same key never share a group: the second one sees what the first one did.
    fn key(&self) -> Self::Key;

    /// What it takes of a transaction.
    fn weight(&self) -> Weight;
}

/// A group under way, answered in its order.
pub(crate) type Group<Q> = Arc<[Arc<Q>]>;
type Answers<Q> = BoxFuture<'static, Result<Vec<<Q as Question>::Answer>>>;

/// Those who wait for the next group.
#[derive(Debug)]
pub(crate) struct Gather<Q: Question>(Arc<Mutex<Waiting<Q>>>);

#[derive(Debug)]
struct Waiting<Q: Question> {
    queue: VecDeque<Asked<Q>>,
    /// Of all that waits.
    rows: usize,
    /// How many carry out groups until nobody waits, and how many may.
    leaders: usize,
    most: usize,
}

#[derive(Debug)]
struct Asked<Q: Question> {
    question: Arc<Q>,
    weight: Weight,
    to: oneshot::Sender<Result<Q::Answer>>,
}

impl<Q: Question> Waiting<Q> {
    /// Counts one leader more if nobody leads, or if so much waits that it is worth a group of its own.
    fn needs_leader(&mut self) -> bool {
        let needed = self.leaders == 0 || (self.leaders < self.most && self.rows >= MUCH);
        self.leaders += usize::from(needed);
        needed
    }
}

impl<Q: Question> Clone for Gather<Q> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q: Question> Gather<Q> {
    /// With at most so many groups under way at once.
    pub(crate) fn new(groups: usize) -> Self {
        Self(Arc::new(Mutex::new(Waiting { queue: VecDeque::new(), rows: 0, leaders: 0, most: groups })))
    }

    /// Asks, and waits for the answer. The question is carried out even if the caller goes away.
    pub(crate) async fn ask(
        &self,
        question: Q,
        carry_out: impl Fn(Group<Q>) -> Answers<Q> + Send + Sync + 'static,
    ) -> Result<Q::Answer> {
        let (to, answer) = oneshot::channel();
        let must_lead = {
            let mut waiting = self.waiting();
            if waiting.queue.len() >= WAITING {
                return Err(StoreError::Busy);
            }
            let weight = question.weight();
            waiting.rows += weight.rows();
            waiting.queue.push_back(Asked { question: Arc::new(question), weight, to });
            waiting.needs_leader()
        };
        if must_lead {
            tokio::spawn(Leader(self.clone()).lead(carry_out));
        }
        answer.await.map_err(|_| StoreError::Internal("a group of writes has died".into()))?
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<Q>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next group; none, and one leader less, when nobody waits.
    fn next(&self) -> Option<Vec<Asked<Q>>> {
        let mut waiting = self.waiting();
        let (mut group, mut keys, mut weight) = (Vec::new(), BTreeSet::new(), None::<Weight>);
        while let Some(next) = waiting.queue.pop_front() {
            let sum = weight.map_or(Some(next.weight), |weight| weight.and(next.weight));
            if group.len() == GROUP || sum.is_none() || !keys.insert(next.question.key()) {
                waiting.queue.push_front(next);
                break;
            }
            weight = sum;
            waiting.rows -= next.weight.rows();
            group.push(next);
        }
        if group.is_empty() {
            waiting.leaders -= 1;
            return None;
        }
        Some(group)
    }
}

/// Who carries out groups. If that panics, those who wait learn of it and the next one leads.
struct Leader<Q: Question>(Gather<Q>);

impl<Q: Question> Leader<Q> {
    async fn lead(self, carry_out: impl Fn(Group<Q>) -> Answers<Q>) {
        while let Some(group) = self.0.next() {
            let questions: Group<Q> = group.iter().map(|asked| Arc::clone(&asked.question)).collect();
            let answers = answers(questions, &carry_out).await;
            for (asked, answer) in group.into_iter().zip(answers) {
                let _ = asked.to.send(answer); // the caller may have gone; what is done is done
            }
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }
}

impl<Q: Question> Drop for Leader<Q> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.waiting();
            waiting.leaders -= 1;
            if waiting.leaders == 0 {
                waiting.queue.clear();
                waiting.rows = 0;
            }
        }
    }
}

async fn answers<Q: Question>(
    group: Group<Q>,
    carry_out: impl Fn(Group<Q>) -> Answers<Q>,
) -> Vec<Result<Q::Answer>> {
    match carry_out(Arc::clone(&group)).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) if group.len() == 1 => vec![Err(error)],
        Err(error) if error.of_all().is_some() => {
            group.iter().map(|_| Err(error.of_all().unwrap_or(StoreError::Busy))).collect()
        }
        Err(_) => {
            let alone = |question: &Arc<Q>| carry_out([Arc::clone(question)].into());
            let one = |mut answers: Vec<Q::Answer>| {
                answers.pop().ok_or_else(|| StoreError::Internal("a write has no answer".into()))
            };
            let all = join_all(group.iter().map(alone)).await;
            all.into_iter().map(|answers| answers.and_then(one)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[derive(Debug)]
    struct Number(u32);

    impl Question for Number {
        type Answer = u32;
        type Key = u32;

        fn key(&self) -> u32 {
            self.0
        }

        fn weight(&self) -> Weight {
            Weight::of(if self.0 >= 1_000_000 { MUCH } else { 1 }, 0)
        }
    }

    /// Doubles numbers, group by group as permits come; a group with a 13 goes wrong, with a 77 the disk is full.
    #[derive(Clone)]
    struct Site {
        gather: Gather<Number>,
        permits: Arc<Semaphore>,
        groups: Arc<AtomicUsize>,
    }

    impl Site {
        fn new(permits: usize) -> Self {
            Self::with_groups(1, permits)
        }

        fn with_groups(groups: usize, permits: usize) -> Self {
            Self {
                gather: Gather::new(groups),
                permits: Arc::new(Semaphore::new(permits)),
                groups: Arc::new(AtomicUsize::new(0)),
            }
        }

        async fn double(self, number: u32) -> Result<u32> {
            let site = self.clone();
            let carry_out = move |group: Group<Number>| -> Answers<Number> {
                let site = site.clone();
                Box::pin(async move {
                    site.groups.fetch_add(1, Ordering::Relaxed);
                    site.permits.acquire().await.expect("it is never closed").forget();
                    assert!(!group.iter().any(|number| number.0 == 99), "99 is out of the question");
                    if group.iter().any(|number| number.0 == 77) {
                        return Err(StoreError::Full);
                    }
                    let wrong = group.iter().any(|number| number.0 == 13);
                    if wrong {
                        Err(StoreError::Limit("13".into()))
                    } else {
                        Ok(group.iter().map(|n| n.0 * 2).collect())
                    }
                })
            };
            self.gather.ask(Number(number), carry_out).await
        }

        /// Asks all at once; the first one is under way before the others come.
        async fn all(&self, numbers: &[u32]) -> Vec<Result<u32>> {
            let mut asked = vec![tokio::spawn(self.clone().double(numbers[0]))];
            while self.groups.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
            asked.extend(numbers[1..].iter().map(|n| tokio::spawn(self.clone().double(*n))));
            while self.gather.waiting().queue.len() < numbers.len() - 1 {
                tokio::task::yield_now().await;
            }
            self.permits.add_permits(1_000);
            let answers = join_all(asked).await;
            answers.into_iter().map(|answer| answer.expect("nothing panics in the caller")).collect()
        }
    }

    #[tokio::test]
    async fn those_who_wait_share_a_group() {
        let site = Site::new(0);
        let answers = site.all(&(100..150).collect::<Vec<_>>()).await;
        for (n, answer) in (100..).zip(answers) {
            assert_eq!(answer.expect("is answered"), 2 * n);
        }
        assert_eq!(site.groups.load(Ordering::Relaxed), 2, "one alone, and the others");
    }

    #[tokio::test]
    async fn much_that_waits_begins_another_group() {
        let site = Site::with_groups(3, 0);
        let mut asked = Vec::new();
        for n in 1_000_000..1_000_005 {
            asked.push(tokio::spawn(site.clone().double(n)));
            while site.groups.load(Ordering::Relaxed) < asked.len().min(3) {
                tokio::task::yield_now().await;
            }
        }
        while site.gather.waiting().queue.len() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(site.groups.load(Ordering::Relaxed), 3, "no more than may be");
        site.permits.add_permits(1_000);
        assert!(join_all(asked).await.into_iter().all(|answer| matches!(answer, Ok(Ok(_)))));
        while site.gather.waiting().leaders > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_same_key_comes_later() {
        let site = Site::new(0);
        let answers = site.all(&[1, 2, 2, 2, 3]).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(site.groups.load(Ordering::Relaxed), 4, "1, 2, 2, and the last 2 with 3");
    }

    #[tokio::test]
    async fn what_goes_wrong_in_company_is_tried_alone() {
        let site = Site::new(0);
        let answers = site.all(&[1, 2, 13, 4]).await;
        let ok: Vec<_> = answers.iter().map(|answer| answer.as_ref().ok().copied()).collect();
        assert_eq!(ok, [Some(2), Some(4), None, Some(8)]);
        assert!(matches!(answers[2], Err(StoreError::Limit(_))));
        assert_eq!(site.groups.load(Ordering::Relaxed), 5, "1, the others, and each of them");
    }

    #[tokio::test]
    async fn a_full_disk_is_full_for_all() {
        let site = Site::new(0);
        let answers = site.all(&[1, 2, 77, 4]).await;
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(StoreError::Full))).count(), 3);
        assert_eq!(site.groups.load(Ordering::Relaxed), 2, "nobody tries alone");
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_next_one_is_served() {
        let site = Site::new(1);
        assert!(matches!(site.clone().double(99).await, Err(StoreError::Internal(_))));
        site.permits.add_permits(1);
        assert_eq!(site.double(7).await.expect("is served"), 14);
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused_and_none_of_the_others_is_lost() {
        let site = Site::new(0);
        let asked: Vec<_> = (100..1_200_u32).map(|n| tokio::spawn(site.clone().double(n))).collect();
        while asked.iter().filter(|asked| asked.is_finished()).count() == 0 {
            tokio::task::yield_now().await;
        }
        site.permits.add_permits(1_000);
        let (mut taken, mut refused) = (0, 0);
        for (n, answer) in (100..).zip(join_all(asked).await) {
            match answer.expect("nothing panics in the caller") {
                Ok(answer) => {
                    assert_eq!(answer, 2 * n);
                    taken += 1;
                }
                Err(StoreError::Busy) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(taken >= WAITING && refused > 0, "{taken} taken, {refused} refused");
    }
}
