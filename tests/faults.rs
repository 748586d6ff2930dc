//! Every fault that a provider can throw, in front of a healthy entry and alone, for streams and whole answers.
//!
//! The table of what clients saw stands in `docs/FAULTS.md`. It is written anew with `UPDATE_DOCS=1`; without, the test
//! holds it to be true but for the milliseconds.

mod body;
mod catalogue;
mod cuts;
mod fault;
mod run;
mod status;
mod stream;
mod table;
mod wire;

use table::Table;

/// Each fault is met once as the first entry of a chain and once alone, by a stream and by a whole answer. The client gets
/// what the catalogue says; afterwards nothing is in flight, and every request has its row.
#[actix_rt::test]
async fn every_fault_is_answered_passed_over_or_reported() {
    let mut table = Table::default();
    let mut faults = catalogue::all().into_iter();
    loop {
        // Most of the time goes into waiting. For figures to show, nothing else is done meanwhile.
        let at_once = if Table::is_wanted() { 1 } else { 8 };
        let meetings: Vec<_> = faults
            .by_ref()
            .take(at_once)
            .map(|fault| actix_rt::spawn(async move { run::meet(&fault).await }))
            .collect();
        if meetings.is_empty() {
            break;
        }
        for meeting in meetings {
            table.rows.extend(meeting.await.unwrap());
        }
    }
    println!("{table}");
    table.compare_with_document();
}
