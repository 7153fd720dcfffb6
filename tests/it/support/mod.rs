//! What the integration tests share: a server in process on either database with a clock that tests move, a client,
//! and a small world of people and pools.

pub mod cast;
pub mod certificates;
pub mod client;
pub mod conformance;
pub mod database;
pub mod exact;
pub mod flow;
pub mod pages;
pub mod queries;
#[expect(dead_code, reason = "the tests of the dialler use all of it")]
pub mod receiver;
pub mod relay;
pub mod schema;
pub mod server;
pub mod smtp;
pub mod tools;
pub mod world;

/// Runs a test on SQLite and on PostgreSQL, each with its own database and server.
#[macro_export]
macro_rules! on_both {
    ($(#[$meta:meta])* fn $name:ident($app:ident) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "shared by all generated tests")]
            use super::*;

            fn run($app: &$crate::support::server::TestApp) $body

            #[test]
            fn sqlite() {
                run(&$crate::support::server::TestApp::sqlite());
            }

            #[test]
            fn postgres() {
                if let Some(app) = $crate::support::server::TestApp::postgres() {
                    run(&app);
                }
            }
        }
    };
}
