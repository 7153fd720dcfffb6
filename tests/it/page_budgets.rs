//! How many statements a page sends to the database: at most three more than the operations of the API whose answers it shows.

use secrecy::ExposeSecret as _;

use crate::on_both;
use crate::support::flow;
use crate::support::pages::Browser;
use crate::support::queries;
use crate::support::server::TestApp;
use crate::support::world::World;

/// A page may ask so many times more than its API twins.
const MORE: usize = 3;

fn statements(app: &TestApp, path: &str, act: impl FnOnce() -> u16) -> usize {
    let (status, asked) = queries::asked(app.app.config.database.url.expose_secret(), act);
    assert_eq!(status, 200, "{path}");
    asked.len()
}

on_both! {
    fn pages_ask_hardly_more_than_the_api(app) {
        let world = World::new(app);
        let expert = flow::expert(&world, "見本 太郎", "taro@example.jp");
        let case = flow::dispatched(&world, expert);
        let office = Browser::new(app, "coordinator@pref.example.jp");
        let (request, dispatch, visit) = (case.request, case.dispatch, case.visits[0]);
        let pages: Vec<(String, Vec<String>)> = vec![
            ("/requests".into(), vec!["/requests?limit=50&total=true".into(), "/programmes".into(), "/organisations".into()]),
            (
                format!("/requests/{request}"),
                vec![
                    format!("/requests/{request}"), format!("/requests/{request}/messages"), format!("/requests/{request}/attachments"),
                    format!("/requests/{request}/offers"), format!("/requests/{request}/agreements"), "/dispatches".into(),
                ],
            ),
            ("/offers".into(), vec!["/offers".into()]),
            ("/dispatches".into(), vec!["/dispatches?total=true".into(), "/programmes".into(), "/pools".into(), "/organisations".into()]),
            (
                format!("/dispatches/{dispatch}"),
                vec![
                    format!("/dispatches/{dispatch}"), format!("/dispatches/{dispatch}/costs"), format!("/dispatches/{dispatch}/report"),
                    format!("/dispatches/{dispatch}/evaluations"),
                ],
            ),
            (format!("/visits/{visit}"), vec![format!("/visits/{visit}"), format!("/dispatches/{dispatch}/costs"), format!("/dispatches/{dispatch}")]),
            ("/calendar".into(), vec!["/visits?limit=200".into(), "/pools".into()]),
            ("/experts".into(), vec!["/experts?total=true".into(), "/pools".into(), "/skill-frameworks".into(), "/organisations".into()]),
            (
                format!("/experts/{expert}"),
                vec![format!("/experts/{expert}"), format!("/experts/{expert}/availability"), format!("/experts/{expert}/workload"), "/organisations".into()],
            ),
            ("/programmes".into(), vec!["/programmes".into(), "/pools".into(), "/saved-filters".into()]),
            ("/settlements".into(), vec!["/settlements".into(), "/programmes".into(), "/dispatches".into()]),
            ("/notices".into(), vec!["/notices".into()]),
            ("/".into(), vec!["/today".into()]),
        ];
        let mut wrong = Vec::new();
        for (page, twins) in pages {
            let ours = statements(app, &page, || office.get(&page).status);
            let theirs: usize = twins.iter().map(|twin| statements(app, twin, || world.coordinator.get(twin).status)).sum();
            if ours > theirs + MORE {
                wrong.push(format!("{page} asks {ours} times, its twins {theirs}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
