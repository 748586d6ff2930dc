//! The task that makes the news.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::web::Bytes;
use askama::Template;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::stage::Stage;
use super::view::{Range, View};
use crate::domain::time::Mono;
use crate::upstream::waterfall::Worker;
use crate::web::state::State;
use crate::web::stats;
use crate::web::stats::log::Filter;
use crate::web::ui::dashboard::{Panel, figures, standings};
use crate::web::ui::log::Row;
use crate::web::ui::sessions::{IDLE, Id};
use crate::web::ui::sse::Message;
use crate::web::ui::standing::Status;

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Sums and charts are read anew at most this often.
const FIGURES_EVERY: Duration = Duration::from_secs(2);

/// They are read anew after so long even when nothing has come: what is old leaves the range.
const FIGURES_LAST: Duration = Duration::from_secs(60);

/// After so long without news a comment is sent, so that proxies in between keep the connection.
const SILENCE: Duration = Duration::from_secs(15);

/// Messages that wait for a browser. One that is further behind comes back later, and gets everything.
const BEHIND: usize = 4;

/// A stream that is as old ends, and the page opens another. A page that is open and seen is use of its session, which it
/// keeps alive by its stream; but the browser learns only at the head of an answer that its cookie is good for longer.
const LONGEST: Duration = Duration::from_secs(IDLE.as_secs() / 2);

/// Streams at the same time.
const MOST: usize = 128;

/// New requests that are told at once; who has missed more loads the page again.
const MOST_ROWS: usize = 50;

/// Everybody who looks.
#[derive(Debug, Default)]
pub(in crate::web::ui) struct Live(Mutex<Lookers>);

#[derive(Debug, Default)]
struct Lookers {
    all: Vec<Looker>,
    /// Whether somebody makes news.
    running: bool,
}

#[derive(Debug)]
struct Looker {
    view: View,
    session: Id,
    sender: Sender<Bytes>,
    /// Has got everything once.
    fresh: bool,
    since: Mono,
    heard: Instant,
}

/// What was sent last, and to whom it belongs.
#[derive(Default)]
struct Told {
    chains: String,
    limits: BTreeMap<Option<Status>, String>,
    figures: BTreeMap<Range, String>,
    /// Rows that were in the database when sums were read.
    counted: u64,
    /// Rows that were there at the last look.
    seen: u64,
    read: Option<Instant>,
}

impl Live {
    /// Somebody looks from now on.
    pub(in crate::web::ui) fn join(
        &self,
        view: View,
        session: Id,
        worker: &Rc<Worker>,
        state: &Arc<State>,
    ) -> Receiver<Bytes> {
        let (sender, receiver) = channel(BEHIND);
        let mut lookers = self.lock();
        if lookers.all.len() >= MOST {
            // The oldest gives way: its browser will come back, if anybody looks at it.
            lookers.all.remove(0);
        }
        let since = state.clock.mono();
        lookers.all.push(Looker { view, session, sender, fresh: true, since, heard: Instant::now() });
        if !std::mem::replace(&mut lookers.running, true) {
            actix_rt::spawn(run(Rc::clone(worker), Arc::clone(state)));
        }
        receiver
    }

    /// Streams that are open.
    #[must_use]
    pub(in crate::web::ui) fn count(&self) -> usize {
        self.lock().all.iter().filter(|looker| !looker.sender.is_closed()).count()
    }

    fn lock(&self) -> MutexGuard<'_, Lookers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run(worker: Rc<Worker>, state: Arc<State>) {
    let _running = Running(Arc::clone(&state));
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::default();
    loop {
        tick.tick().await;
        let now = state.clock.mono();
        {
            let (mut lookers, active) = (state.ui.live.lock(), state.live.get());
            let is_open = |looker: &Looker| state.ui.sessions.renew(looker.session, now, &active.admin_keys);
            // A tab that nobody sees has closed its stream: it does not count as use.
            lookers.all.retain(|looker| !looker.sender.is_closed() && is_open(looker));
            lookers.all.retain(|looker| now.since(looker.since) < LONGEST);
            if state.drain.draining() {
                lookers.all.clear();
            }
            if lookers.all.is_empty() {
                lookers.running = false;
                return;
            }
        }
        renew(&state);
        look(&worker, &state, &mut told).await;
    }
}

/// Has pages load themselves anew that were made for another stage than the proxy is in: what they show is something else.
fn renew(state: &State) {
    let stage = Stage::of(&state.config());
    for looker in state.ui.live.lock().all.iter_mut().filter(|looker| looker.view.stage != stage) {
        let mut message = Message::default();
        // The answer to it is `HX-Refresh`.
        message.part("#clock", "innerHTML", "<span hx-get=\"/ui\" hx-trigger=\"load\" hx-swap=\"none\"></span>");
        let _ = looker.sender.try_send(message.event("").into());
        // The stream ends with that. A page that did not understand it comes back, and is told again.
        looker.sender = channel(1).0;
    }
}

/// Whoever makes news.
struct Running(Arc<State>);

impl Drop for Running {
    /// A defect has ended it: pages come back, and the first of them starts another.
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.ui.live.lock() = Lookers::default();
        }
    }
}

/// Looks once, and tells everybody what is new to them.
async fn look(worker: &Worker, state: &State, told: &mut Told) {
    let views: Vec<(View, bool)> = state.ui.live.lock().all.iter().map(|one| (one.view.clone(), one.fresh)).collect();
    let shows: BTreeSet<Option<Status>> = views.iter().map(|(view, _)| view.show).collect();
    let (chains, limits) = standings(worker, state, shows).await;
    let chains = chains.html();
    let limits: BTreeMap<_, _> = limits.into_iter().map(|(show, limits)| (show, limits.html())).collect();
    let new_chains = essence(&chains) != essence(&told.chains);
    let new_limits =
        limits.iter().filter(|(show, html)| told.limits.get(show).map(|told| essence(told)) != Some(essence(html)));
    let new_limits: Vec<Option<Status>> = new_limits.map(|(show, _)| *show).collect();

    let written = state.metrics.backlog().written();
    let age = told.read.map_or(Duration::MAX, |read| read.elapsed());
    let is_due = age >= FIGURES_LAST || (age >= FIGURES_EVERY && written != told.counted);
    let mut new_figures = Vec::new();
    for (view, fresh) in &views {
        if (is_due || (*fresh && !told.figures.contains_key(&view.range))) && !new_figures.contains(&view.range) {
            let made = Panel::of(figures(state, view).await).html();
            if told.figures.get(&view.range) != Some(&made) {
                told.figures.insert(view.range, made);
                new_figures.push(view.range);
            }
        }
    }
    if is_due {
        (told.read, told.counted) = (Some(Instant::now()), written);
        told.figures.retain(|range, _| views.iter().any(|(view, _)| view.range == *range));
    }
    let mut rows: BTreeMap<View, (String, Option<String>)> = BTreeMap::new();
    let more = written != told.seen;
    told.seen = written;
    for (view, fresh) in views.into_iter().filter(|(view, _)| view.before.is_none() && view.stage.has_news()) {
        if (more || fresh) && !rows.contains_key(&view) {
            let found = newcomers(state, &view).await;
            rows.insert(view, found);
        }
    }
    (told.chains, told.limits) = (chains, limits);

    let clock = worker.clock.now().wall.0;
    let mut lookers = state.ui.live.lock();
    for looker in &mut lookers.all {
        let mut message = Message::default();
        let has_news = looker.view.stage.has_news();
        let is_made = told.limits.contains_key(&looker.view.show) && told.figures.contains_key(&looker.view.range);
        if looker.fresh && has_news && !is_made {
            // Has come in while this was made, and gets everything at the next look.
            continue;
        }
        let wants = |is_new: bool| has_news && (looker.fresh || is_new);
        if wants(new_chains) {
            message.part("#chains-now", "innerMorph", &told.chains);
        }
        if let (true, Some(limits)) =
            (wants(new_limits.contains(&looker.view.show)), told.limits.get(&looker.view.show))
        {
            message.part("#limits", "innerMorph", limits);
        }
        if let (true, Some(figures)) =
            (wants(new_figures.contains(&looker.view.range)), told.figures.get(&looker.view.range))
        {
            message.part("#figures", "innerMorph", figures);
        }
        let (found, newest) = rows.get(&looker.view).cloned().unwrap_or_default();
        if !found.is_empty() {
            message.part("#log-new", "afterbegin", &found);
        }
        let silent = looker.heard.elapsed() >= SILENCE || (looker.fresh && !has_news);
        let event = match message.is_empty() {
            true if silent => ": nothing new\n\n".to_owned(),
            true => continue,
            false => {
                message.part("#clock", "innerHTML", &format!("<data value=\"{clock}\"></data>"));
                message.event(newest.as_deref().unwrap_or_default())
            }
        };
        match looker.sender.try_send(event.into()) {
            Ok(()) => {
                (looker.fresh, looker.heard) = (false, Instant::now());
                looker.view.after = newest.or(looker.view.after.take());
            }
            // Its browser does not keep up, and comes back when it does.
            Err(_) => looker.sender = channel(1).0,
        }
    }
}

/// The part of a page without what only the clock changes: the words of a countdown.
fn essence(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("data-until=\"") {
        kept.push_str(before);
        let (until, after) = after.split_once('"').unwrap_or((after, ""));
        // What is told of a deadline moves a little with every look.
        kept.push_str(until.get(..until.len().saturating_sub(3)).unwrap_or(until));
        rest = after.split_once('<').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// Rows of requests that have come since, newest first, and the id of the newest of all.
async fn newcomers(state: &State, view: &View) -> (String, Option<String>) {
    let after = view.after.clone().unwrap_or_default();
    let page = stats::log::rows(state, Filter::default(), None, after.clone(), MOST_ROWS).await.unwrap_or_default();
    let found: Vec<_> = page.rows.into_iter().filter(|row| row.id != after).collect();
    let newest = found.first().map(|row| row.id.clone());
    let wanted = found.iter().filter(|row| view.filter.keeps(row));
    (wanted.filter_map(|row| Row::of(row).render().ok()).collect(), newest)
}
